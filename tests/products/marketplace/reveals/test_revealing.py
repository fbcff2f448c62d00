"""Revealing a contact: one credit, once, for what one may see; and what was bought stays."""

import uuid
from typing import Any

import pytest

from chalicelib.core import db, settings
from tests.support import database
from tests.support.cloud import Cloud
from tests.support.people import POST, Person, credit, give_role, person, post_of
from tests.support.races import many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe

PATH = "/v1/marketplace/posts"


@pytest.fixture
def post(ana: Person, stripe: Stripe, cloud: Cloud) -> str:
    """A post of Ana's."""
    return post_of(ana, stripe, cloud)


@pytest.fixture
def buyer(ben: Person) -> Person:
    """Ben, with three credits."""
    credit(ben, 3)
    return ben


def reveal(who: Person, post: object, key: str | None = None) -> Any:
    return who.api.post(f"{PATH}/{post}/reveal", key=key or str(uuid.uuid4()))


def left(who: Person) -> int:
    remaining: int = who.api.get("/v1/billing/credits").json["remaining"]
    return remaining


def test_a_reveal_costs_one_credit_and_tells_whom_to_write_to(buyer: Person, post: str) -> None:
    answer = reveal(buyer, post)
    assert answer.status == 200, answer.text
    told = answer.json
    assert {k: v for k, v in told["contact_info"].items() if v} == POST["contact_info"]
    assert (told["post_id"], told["revealed_via"]) == (post, "credit")
    assert left(buyer) == 2


def test_looking_again_is_free_under_the_same_and_under_another_key(
    buyer: Person, post: str
) -> None:
    first = reveal(buyer, post, "one")
    for key in ("one", "two"):
        assert reveal(buyer, post, key).json == first.json
    assert left(buyer) == 2


def test_a_key_names_one_post(buyer: Person, post: str) -> None:
    reveal(buyer, post, "one")
    answer = reveal(buyer, uuid.uuid4(), "one")
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")


def test_of_16_first_looks_at_once_one_is_paid(buyer: Person, post: str) -> None:
    answers = many(16, lambda: reveal(buyer, post))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert left(buyer) == 2


def test_of_16_first_looks_under_one_key_one_is_paid(buyer: Person, post: str) -> None:
    answers = many(16, lambda: reveal(buyer, post, "one"))
    assert {answer.status for answer in answers} == {200}
    assert left(buyer) == 2


def test_of_16_first_looks_with_the_last_credit_all_are_answered(ben: Person, post: str) -> None:
    credit(ben, 1)
    assert {answer.status for answer in many(16, lambda: reveal(ben, post))} == {200}
    assert left(ben) == 0


def test_of_16_first_looks_with_the_last_reveal_of_the_day_all_are_answered(
    buyer: Person, post: str
) -> None:
    db.write(settings.put, "marketplace", "reveals_per_day", 1, buyer.id)
    assert {answer.status for answer in many(16, lambda: reveal(buyer, post))} == {200}
    assert left(buyer) == 2


def test_without_credits_nothing_is_told(ben: Person, post: str) -> None:
    with nothing_changes():
        answer = reveal(ben, post)
    assert (answer.status, answer.code) == (409, "billing.insufficient_credits")
    assert "contact" not in answer.json["detail"].lower()


def test_a_refused_reveal_may_be_tried_again_under_its_key(ben: Person, post: str) -> None:
    assert reveal(ben, post, "one").status == 409
    credit(ben, 1)
    assert reveal(ben, post, "one").status == 200


def test_ones_own_post_is_not_revealed(ana: Person, post: str) -> None:
    credit(ana, 1)
    with nothing_changes():
        answer = reveal(ana, post)
    assert (answer.status, answer.code) == (409, "marketplace.own_post")


def test_an_unverified_person_reveals_nothing(newcomer: Person, post: str) -> None:
    credit(newcomer, 1)
    with nothing_changes():
        assert reveal(newcomer, post).code == "not_verified"


def test_what_one_may_not_see_is_not_revealed_and_costs_nothing(
    ana: Person, buyer: Person, post: str
) -> None:
    unknown = reveal(buyer, uuid.uuid4())
    ana.api.post(f"{PATH}/{post}/archive")
    archived = reveal(buyer, post)
    assert {(one.status, one.code) for one in (unknown, archived)} == {(404, "not_found")}
    assert left(buyer) == 3


def test_what_was_bought_stays_when_the_post_goes(ana: Person, buyer: Person, post: str) -> None:
    bought = reveal(buyer, post).json
    ana.api.post(f"{PATH}/{post}/archive")
    assert reveal(buyer, post).json == bought
    assert left(buyer) == 2


def test_what_was_bought_stays_as_it_was_when_the_post_is_changed_or_deleted(
    ana: Person, buyer: Person, post: str
) -> None:
    bought = reveal(buyer, post).json
    changed = ana.api.patch(f"{PATH}/{post}", {"contact_info": {"handle": "@moved"}})
    assert changed.status == 200, changed.text
    assert reveal(buyer, post).json == bought
    ana.api.delete(f"{PATH}/{post}")
    assert reveal(buyer, post).json == bought


def test_each_buyer_pays_for_themselves(buyer: Person, post: str) -> None:
    other = person(buyer.api)
    credit(other, 1)
    reveal(buyer, post)
    assert left(other) == 1
    assert reveal(other, post).status == 200
    assert left(other) == 0


def test_staff_pay_like_everybody(ben: Person, post: str) -> None:
    give_role(ben, "admin")
    assert reveal(ben, post).code == "billing.insufficient_credits"


def test_the_author_hears_of_it_by_ids_alone(buyer: Person, post: str) -> None:
    reveal(buyer, post)
    reveal(buyer, post)
    assert database.execute(
        "select payload from core.outbox where topic = 'marketplace.contact_revealed'"
    ) == [({"post_id": post, "requester_id": str(buyer.id)},)]


@pytest.mark.parametrize("name", ["x", "1"])
def test_a_bad_id_is_named(buyer: Person, name: str) -> None:
    answer = reveal(buyer, name)
    assert [problem["field"] for problem in answer.json["errors"]] == ["path.post_id"]


def test_the_list_of_ones_reveals_is_ones_own_newest_first_and_paged(
    ana: Person, buyer: Person, post: str, stripe: Stripe, cloud: Cloud
) -> None:
    others = [post_of(person(ana.api), stripe, cloud) for _ in range(2)]
    for one in (post, *others):
        reveal(buyer, one)
    found: list[str] = []
    query = "?limit=2"
    while query:
        page = buyer.api.get(f"/v1/marketplace/reveals{query}").json
        found += [one["post_id"] for one in page["items"]]
        query = f"?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert found == [others[1], others[0], post]
    assert ana.api.get("/v1/marketplace/reveals").json["items"] == []
