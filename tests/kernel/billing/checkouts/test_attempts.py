"""One attempt is one checkout and one page, however often it is made and wherever it was cut off."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts import service
from tests.support import database
from tests.support.people import Person, again
from tests.support.races import many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe
from tests.support.times import Times

PATH = "/v1/billing/checkouts"
PACK = {"product": "marketplace", "code": "contacts_10"}
# Longer than a call to a provider can take: then the attempt before was cut off.
CUT_OFF = timedelta(seconds=36)


class Crash(BaseException):
    """The process is gone."""


def checkouts() -> int:
    ((count,),) = database.execute("select count(*) from billing.checkouts")
    return int(count)


def test_the_same_attempt_gets_the_same_checkout(ana: Person, stripe: Stripe) -> None:
    first = ana.api.post(PATH, PACK, key="one")
    with nothing_changes():
        second = ana.api.post(PATH, PACK, key="one")
    assert (second.status, second.json) == (201, first.json)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert len(stripe.sessions_for(ana.id)) == 1


def test_another_attempt_is_another_checkout(ana: Person, stripe: Stripe) -> None:
    first, second = (ana.api.post(PATH, PACK, key=key).json for key in ("one", "two"))
    assert first["id"] != second["id"]
    assert len(stripe.sessions_for(ana.id)) == 2


def test_an_attempt_at_something_else_is_refused(ana: Person) -> None:
    ana.api.post(PATH, PACK, key="one")
    with nothing_changes():
        for other in (PACK | {"code": "posting_fee"}, PACK | {"quantity": 2}):
            answer = ana.api.post(PATH, other, key="one")
            assert (answer.status, answer.code) == (422, "idempotency_key_reused")


def test_somebody_elses_key_is_their_own(ana: Person, ben: Person) -> None:
    mine, theirs = (who.api.post(PATH, PACK, key="one").json for who in (ana, ben))
    assert mine["id"] != theirs["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ключ"])
def test_a_bad_key_is_named(ana: Person, key: str) -> None:
    with nothing_changes():
        answer = ana.api.call("POST", PATH, body=PACK, headers={"idempotency-key": key})
    assert answer.status == 400
    assert [problem["field"] for problem in answer.json["errors"]] == ["header.Idempotency-Key"]


def test_without_a_key_nothing_happens(ana: Person) -> None:
    with nothing_changes():
        assert ana.api.post(PATH, PACK).code == "idempotency_key_required"


def test_of_sixteen_at_once_all_that_succeed_are_one(ana: Person, stripe: Stripe) -> None:
    answers = many(16, lambda: ana.api.post(PATH, PACK, key="one"))
    assert {answer.status for answer in answers} <= {201, 409}
    assert {answer.code for answer in answers if answer.status == 409} <= {"conflict"}
    assert len({answer.json["id"] for answer in answers if answer.status == 201}) == 1
    assert checkouts() == 1
    assert len(stripe.sessions_for(ana.id)) == 1
    assert ana.api.post(PATH, PACK, key="one").status == 201


def test_a_refusal_is_not_remembered(ana: Person) -> None:
    switch = "update billing.prices set is_active = $1 where code = 'contacts_10'"
    database.execute(switch, False)
    try:
        assert ana.api.post(PATH, PACK, key="one").status == 404
    finally:
        database.execute(switch, True)
    assert ana.api.post(PATH, PACK, key="one").status == 201


def test_while_stripe_is_down_one_is_told_to_come_again_and_may_with_the_same_key(
    ana: Person, stripe: Stripe, impatient: None
) -> None:
    stripe.fake.order_outage(1, "error", method="POST")
    answer = ana.api.post(PATH, PACK, key="one")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert stripe.sessions_for(ana.id) == []
    again = ana.api.post(PATH, PACK, key="one")
    assert again.status == 201, again.text
    assert checkouts() == 1
    assert len(stripe.sessions_for(ana.id)) == 1


def test_after_an_outage_the_key_still_stands_for_the_same_thing(
    ana: Person, stripe: Stripe, impatient: None
) -> None:
    stripe.fake.order_outage(1, "error", method="POST")
    ana.api.post(PATH, PACK, key="one")
    answer = ana.api.post(PATH, PACK | {"code": "posting_fee"}, key="one")
    assert answer.code == "idempotency_key_reused"


@pytest.mark.parametrize("kind", ["error", "reset"])
def test_when_only_the_reply_of_stripe_is_lost_there_is_one_page(
    ana: Person, stripe: Stripe, impatient: None, kind: Any
) -> None:
    stripe.fake.order_outage(1, kind, when="after", method="POST")
    assert ana.api.post(PATH, PACK, key="one").status == 503
    assert ana.api.post(PATH, PACK, key="one").status == 201
    assert checkouts() == 1
    assert len(stripe.sessions_for(ana.id)) == 1


def test_an_outage_shorter_than_our_patience_is_not_noticed(ana: Person, stripe: Stripe) -> None:
    stripe.fake.order_outage(1, "error", when="after", method="POST")
    assert ana.api.post(PATH, PACK, key="one").status == 201
    assert len(stripe.sessions_for(ana.id)) == 1


def before_stripe(patch: pytest.MonkeyPatch) -> None:
    def crash(*_: Any) -> None:
        raise Crash

    patch.setattr(gateway, "create_session", crash)


def after_stripe(patch: pytest.MonkeyPatch) -> None:
    create = gateway.create_session

    def crash(*arguments: Any) -> None:
        create(*arguments)
        raise Crash

    patch.setattr(gateway, "create_session", crash)


def before_it_is_attached(patch: pytest.MonkeyPatch) -> None:
    def crash(*_: Any) -> None:
        raise Crash

    patch.setattr(service, "_attach", crash)


def before_the_answer(patch: pytest.MonkeyPatch) -> None:
    def crash(*_: Any) -> None:
        raise Crash

    patch.setattr(service, "checkout", crash)


CRASHES = [before_stripe, after_stripe, before_it_is_attached, before_the_answer]


@pytest.fixture(params=CRASHES, ids=lambda crash: crash.__name__)
def cut_off(request: pytest.FixtureRequest, ana: Person) -> None:
    """An attempt of Ana's that ended somewhere in the middle."""
    with pytest.MonkeyPatch.context() as patch:
        request.param(patch)
        with pytest.raises(Crash):
            ana.api.post(PATH, PACK, key="one")
    assert ana.api.post(PATH, PACK, key="one").code == "conflict"


def test_a_twin_that_is_refused_takes_nothing_from_the_first(ana: Person, cut_off: None) -> None:
    with nothing_changes():
        for _ in range(2):
            assert ana.api.post(PATH, PACK, key="one").code == "conflict"
            other = ana.api.post(PATH, PACK | {"quantity": 2}, key="one")
            assert other.code == "idempotency_key_reused"


@pytest.mark.parametrize("later", [CUT_OFF, timedelta(minutes=5), timedelta(hours=2)])
def test_an_attempt_that_was_cut_off_is_taken_up_again(
    ana: Person, stripe: Stripe, times: Times, cut_off: None, later: timedelta
) -> None:
    times.pass_by(later)
    times.run("billing_checkouts_expire")
    answer = again(ana).api.post(PATH, PACK, key="one")
    assert answer.status == 201, answer.text
    assert again(ana).api.post(PATH, PACK, key="one").json == answer.json
    assert checkouts() == 1
    payable = [one["url"] for one in stripe.sessions_for(ana.id) if one["status"] == "open"]
    # The page may have ended meanwhile; then so has the checkout, and no other page is open.
    assert payable == ([answer.json["url"]] if answer.json["state"] == "open" else [])


def test_of_two_that_take_it_up_at_once_both_get_the_same_page(
    ana: Person, stripe: Stripe, times: Times, cut_off: None
) -> None:
    times.pass_by(timedelta(minutes=5))
    taker = again(ana)
    answers = many(2, lambda: taker.api.post(PATH, PACK, key="one"))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["url"] for answer in answers}) == 1
    assert len(stripe.sessions_for(ana.id)) == 1
