"""Posts that others remove: moderation, which may be wrong, and staff."""

import uuid
from typing import Any

import pytest

from chalicelib.core import db, outbox
from chalicelib.kernel.moderation import service as moderation
from chalicelib.kernel.moderation.events import ContentRemoved, ContentRestored
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person, credit, give_role, person, post_of
from tests.support.races import many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe

POSTS = "/v1/marketplace/posts"
ADMIN = "/v1/admin/marketplace/posts"
UPDATED = "select updated_at from marketplace.posts where id = $1"


def tell(cloud: Cloud, event: outbox.Event) -> None:
    db.write(lambda unit: outbox.publish(unit, event))
    cloud.deliveries = 2
    cloud.deliver()


def test_moderation_removes_and_gives_back(
    ana: Person, ben: Person, stripe: Stripe, cloud: Cloud
) -> None:
    post, other = (uuid.UUID(post_of(who, stripe, cloud)) for who in (ana, ben))
    for one in (post, other):
        tell(cloud, ContentRemoved("marketplace", "marketplace.post", one))
    for who in (ana, ben):
        assert who.api.get(f"{POSTS}/{post}").status == 404
    assert ana.api.post(f"{POSTS}/{post}/reactivate").status == 404
    ((removed_at,),) = database.execute(UPDATED, post)
    tell(cloud, ContentRestored("marketplace", "marketplace.post", post))
    assert database.execute(UPDATED, post) > [(removed_at,)]
    assert ana.api.post(f"{POSTS}/{post}/reactivate").json["status"] == "active"
    assert ben.api.post(f"{POSTS}/{other}/reactivate").status == 404
    credit(ben, 1)
    assert ben.api.post(f"{POSTS}/{post}/reveal", key="k").json["contact_info"]["phone"]


def test_what_its_author_deleted_moderation_does_not_give_back(
    ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    post = uuid.UUID(post_of(ana, stripe, cloud))
    ana.api.delete(f"{POSTS}/{post}")
    tell(cloud, ContentRemoved("marketplace", "marketplace.post", post))
    tell(cloud, ContentRestored("marketplace", "marketplace.post", post))
    tell(cloud, ContentRemoved("marketplace", "dating.story", post))
    assert database.execute("select status, removed_by from marketplace.posts") == [
        ("removed", "author")
    ]


def test_whose_a_post_is(ana: Person, ben: Person, stripe: Stripe, cloud: Cloud) -> None:
    post = uuid.UUID(post_of(ana, stripe, cloud))
    subject = moderation.subject_of("marketplace.post")
    assert subject is not None
    assert subject.removable
    assert db.read(subject.owner, post, ben.id) == ana.id
    assert db.read(subject.owner, post, None) == ana.id
    assert db.read(subject.owner, uuid.uuid4(), ben.id) is None
    ana.api.put(f"/v1/moderation/blocks/{ben.id}")
    assert db.read(subject.owner, post, ben.id) is None


@pytest.fixture
def moderator(api: Api) -> Person:
    """Somebody who moderates the marketplace."""
    who = person(api)
    give_role(who, "moderator", "marketplace")
    return who


def test_staff_list_and_remove(
    ana: Person, ben: Person, moderator: Person, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    (listed,) = moderator.api.get(f"{ADMIN}?user_id={ana.id}&status=active").json["items"]
    assert listed["id"] == post
    assert "contact_info" not in listed
    assert moderator.api.get(f"{ADMIN}?status=removed").json["items"] == []
    removed = moderator.api.post(f"{ADMIN}/{post}/remove", {"reason": "spam"})
    assert (removed.json["status"], removed.json["removed_by"]) == ("removed", "staff")
    assert ben.api.get(f"{POSTS}/{post}").status == 404
    logged = database.execute(
        "select actor_id, subject, detail->>'reason' from core.audit_log"
        " where action = 'marketplace.remove_post'"
    )
    assert logged == [(moderator.id, f"marketplace.posts:{post}", "spam")]
    told = database.execute(
        "select kind from notifications.notifications where user_id = $1", ana.id
    )
    assert ("marketplace.post_removed",) in told
    with nothing_changes():
        assert moderator.api.post(f"{ADMIN}/{post}/remove", {"reason": "spam"}).status == 404


def test_of_staff_at_once_one_removes(
    ana: Person, moderator: Person, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    answers = many(
        6, lambda: moderator.api.post(f"{ADMIN}/{post}/remove", {"reason": "spam"}).status
    )
    assert sorted(answers) == [200] + [404] * 5


@pytest.mark.parametrize("body", [{}, {"reason": "dull"}, {"reason": None}])
def test_a_removal_needs_a_reason(body: dict[str, Any], moderator: Person) -> None:
    refused = moderator.api.post(f"{ADMIN}/{uuid.uuid4()}/remove", body)
    assert refused.json["errors"][0]["field"] == "body.reason"


def test_only_moderators_of_the_marketplace(
    ana: Person, ben: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    give_role(ben, "moderator", "dating")
    give_role(ana, "support", "marketplace")
    with nothing_changes():
        for who, status in ((ana.api, 403), (ben.api, 403), (api, 401)):
            assert who.get(ADMIN).status == status
            assert who.post(f"{ADMIN}/{post}/remove", {"reason": "spam"}).status == status
