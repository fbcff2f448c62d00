"""A block holds in both directions, wherever one could meet the other."""

import pytest

from tests.support import database
from tests.support.cloud import Cloud
from tests.support.people import Person, credit, post_of
from tests.support.races import at_once
from tests.support.stripe import Stripe


@pytest.mark.parametrize("by_the_author", [True, False])
def test_neither_sees_the_others_posts_any_more(
    ana: Person, ben: Person, cloud: Cloud, stripe: Stripe, *, by_the_author: bool
) -> None:
    post = post_of(ana, stripe, cloud)
    credit(ben, 5)
    path = f"/v1/marketplace/posts/{post}"
    report = {
        "product": "marketplace",
        "subject_kind": "marketplace.post",
        "subject_id": post,
        "reason": "spam",
    }
    assert ben.api.get(path).status == 200
    blocker, blocked = (ana, ben) if by_the_author else (ben, ana)
    assert blocker.api.put(f"/v1/moderation/blocks/{blocked.id}").status == 204
    assert ben.api.get(path).status == 404
    assert ben.api.get("/v1/marketplace/posts").json["items"] == []
    assert ben.api.post(f"{path}/reveal", key="one").status == 404
    assert ben.api.post("/v1/moderation/reports", report).status == 404
    assert ben.api.get("/v1/billing/credits").json["remaining"] == 5
    assert ana.api.get(path).status == 200
    assert blocker.api.delete(f"/v1/moderation/blocks/{blocked.id}").status == 204
    assert ben.api.get(path).status == 200


def test_two_who_block_each_other_at_once_both_do(ana: Person, ben: Person) -> None:
    answers = at_once(
        [
            lambda: ana.api.put(f"/v1/moderation/blocks/{ben.id}"),
            lambda: ben.api.put(f"/v1/moderation/blocks/{ana.id}"),
        ]
        * 3
    )
    assert {answer.status for answer in answers} == {204}
    assert database.execute("select count(*) from moderation.blocks") == [(2,)]
