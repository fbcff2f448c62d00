"""Changing, archiving, reactivating and deleting one's own posts, and listing them."""

import uuid
from typing import Any

import pytest

from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import POST, Person, credit, pay_for, person, post_of
from tests.support.races import many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe
from tests.support.times import Times

POSTS = "/v1/marketplace/posts"
OWN = "/v1/marketplace/me/posts"
CHANGED = {
    "user_type": "brand",
    "platform": "youtube",
    "followers": 5,
    "interests": ["music"],
    "price_point": "low",
    "description": "Something else.",
}


def test_every_field_can_be_changed(ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    post = post_of(ana, stripe, cloud)
    changed = ana.api.patch(f"{POSTS}/{post}", CHANGED)
    assert changed.status == 200, changed.text
    assert {name: changed.json[name] for name in CHANGED} == CHANGED
    assert ana.api.get(f"{POSTS}/{post}").json == changed.json


@pytest.mark.parametrize("name", list(CHANGED))
def test_one_field_alone(name: str, ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    post = post_of(ana, stripe, cloud)
    before = ana.api.get(f"{POSTS}/{post}").json
    after = ana.api.patch(f"{POSTS}/{post}", {name: CHANGED[name]}).json
    assert {key for key in before if before[key] != after[key]} == {name, "updated_at"}


def test_the_contact_is_sealed_anew_and_reveals_keep_theirs(
    ana: Person, ben: Person, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    credit(ben, 1)
    first = ben.api.post(f"{POSTS}/{post}/reveal", key="one").json["contact_info"]
    told = {"contact_info": {"handle": "@new"}}
    assert "contact_info" not in ana.api.patch(f"{POSTS}/{post}", told).json
    assert ben.api.post(f"{POSTS}/{post}/reveal", key="two").json["contact_info"] == first
    ((sealed,),) = database.execute("select contact_info from marketplace.posts")
    assert b"@new" not in sealed
    eve = person(ana.api)
    credit(eve, 1)
    assert eve.api.post(f"{POSTS}/{post}/reveal", key="one").json["contact_info"] == {
        "email": None,
        "phone": None,
        "handle": "@new",
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"followers": -1}, "body.followers"),
        ({"followers": "7"}, "body.followers"),
        ({"interests": []}, "body.interests"),
        ({"interests": ["a", "a"]}, "body.interests"),
        ({"platform": "fax"}, "body.platform"),
        ({"description": ""}, "body.description"),
        ({"contact_info": {}}, "body.contact_info"),
        ({"verified": True}, "body.verified"),
        ({"status": "active"}, "body.status"),
    ],
)
def test_a_bad_change_names_the_field(
    body: dict[str, Any], field: str, ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    with nothing_changes():
        refused = ana.api.patch(f"{POSTS}/{post}", body)
    assert refused.status == 400
    assert [one["field"] for one in refused.json["errors"]] == [field]


def test_nobody_else_changes_a_post(  # noqa: PLR0917  a person for each way to be somebody else
    ana: Person, ben: Person, newcomer: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    with nothing_changes():
        for method, path, body in (
            ("PATCH", f"{POSTS}/{post}", {"followers": 1}),
            ("DELETE", f"{POSTS}/{post}", None),
            ("POST", f"{POSTS}/{post}/reactivate", None),
        ):
            assert ben.api.call(method, path, body=body).status == 404
            assert api.call(method, path, body=body).status == 401
        assert newcomer.api.patch(f"{POSTS}/{post}", {"followers": 1}).status == 403
        assert newcomer.api.post(f"{POSTS}/{post}/reactivate").status == 403
        assert ana.api.patch(f"{POSTS}/{uuid.uuid4()}", {"followers": 1}).status == 404
        assert api.get(OWN).status == 401
    ana.api.put(f"/v1/moderation/blocks/{ben.id}")
    assert ben.api.patch(f"{POSTS}/{post}", {"followers": 1}).status == 404


def test_a_deleted_post_is_gone_but_for_those_who_bought_it(
    ana: Person, ben: Person, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    credit(ben, 1)
    seen = ben.api.post(f"{POSTS}/{post}/reveal", key="one").json
    assert ana.api.delete(f"{POSTS}/{post}").status == 204
    rows = database.execute("select status, removed_by, contact_info from marketplace.posts")
    assert rows == [("removed", "author", None)]
    for who in (ana, ben):
        assert who.api.get(f"{POSTS}/{post}").status == 404
    assert ana.api.get(OWN).json["items"] == []
    assert ben.api.post(f"{POSTS}/{post}/reveal", key="two").json == seen
    with nothing_changes():
        assert ana.api.delete(f"{POSTS}/{post}").status == 404
        assert ana.api.patch(f"{POSTS}/{post}", {"followers": 1}).status == 404
        assert ana.api.post(f"{POSTS}/{post}/reactivate").status == 404
    assert ana.api.post(POSTS, POST).status == 201


def test_of_deletions_at_once_one_does_it(ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    post = post_of(ana, stripe, cloud)
    answers = many(6, lambda: ana.api.delete(f"{POSTS}/{post}").status)
    assert sorted(answers) == [204] + [404] * 5


def test_changes_at_once_all_stand(ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    post = post_of(ana, stripe, cloud)
    answers = many(8, lambda: ana.api.patch(f"{POSTS}/{post}", {"followers": 9}).status)
    assert set(answers) == {200}


def test_an_archived_post_comes_back(ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    path = f"{POSTS}/{post_of(ana, stripe, cloud)}"
    seen = [ana.api.get(path).json]
    for change, status in (("archive", "archived"), ("reactivate", "active")):
        seen.append(ana.api.post(f"{path}/{change}").json)
        assert seen[-1]["status"] == status
        assert seen[-1]["updated_at"] > seen[-2]["updated_at"]
    assert ana.api.post(f"{path}/reactivate").json["status"] == "active"


def test_there_must_be_a_free_place(ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    post = post_of(ana, stripe, cloud)
    ana.api.post(f"{POSTS}/{post}/archive")
    assert ana.api.post(POSTS, POST).status == 201
    with nothing_changes():
        refused = ana.api.post(f"{POSTS}/{post}/reactivate")
    assert refused.code == "marketplace.active_post_exists"


def test_of_two_brought_back_at_once_one_is(ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    posts = [post_of(ana, stripe, cloud)]
    ana.api.post(f"{POSTS}/{posts[0]}/archive")
    posts.append(ana.api.post(POSTS, POST).json["id"])
    ana.api.post(f"{POSTS}/{posts[1]}/archive")
    waiting = iter(posts)
    answers = many(2, lambda: ana.api.post(f"{POSTS}/{next(waiting)}/reactivate").status)
    assert sorted(answers) == [200, 409]
    ((active,),) = database.execute(
        "select count(*) from marketplace.posts where status = 'active'"
    )
    assert active == 1


def test_the_fee_must_stand(ana: Person, stripe: Stripe, cloud: Cloud, times: Times) -> None:
    post = post_of(ana, stripe, cloud)
    ana.api.post(f"{POSTS}/{post}/archive")
    database.execute("update billing.payments set paid_at = paid_at - interval '366 days'")
    with nothing_changes():
        refused = ana.api.post(f"{POSTS}/{post}/reactivate")
    assert refused.code == "marketplace.posting_fee_not_paid"
    pay_for(ana, "posting_fee", stripe, cloud)
    assert ana.api.post(f"{POSTS}/{post}/reactivate").status == 200


def test_own_posts(ana: Person, ben: Person, stripe: Stripe, cloud: Cloud) -> None:
    first = post_of(ana, stripe, cloud)
    ana.api.post(f"{POSTS}/{first}/archive")
    second = ana.api.post(POSTS, POST).json["id"]
    page = ana.api.get(f"{OWN}?limit=1").json
    assert [one["id"] for one in page["items"]] == [second]
    rest = ana.api.get(f"{OWN}?limit=1&cursor={page['next_cursor']}").json
    assert [(one["id"], one["status"]) for one in rest["items"]] == [(first, "archived")]
    assert rest["next_cursor"] is None
    assert ben.api.get(OWN).json["items"] == []
    assert ben.api.get(f"{OWN}?limit=0").json["errors"][0]["field"] == "query.limit"
