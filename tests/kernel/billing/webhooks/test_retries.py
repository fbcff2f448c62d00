"""Events that could not be applied at once: kept with the reason, tried again, never lost."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts import service as checkouts
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person, again
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe
from tests.support.times import Times

JOB = "billing_webhooks_process_due"
PACK = {"product": "marketplace", "code": "contacts_10"}
MINUTE = timedelta(minutes=1, seconds=1)


class Crash(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class Purchase:
    """A pack that Ana paid; the event that says so was not sent yet."""

    ana: Person
    event: dict[str, Any]
    stripe: Stripe
    cloud: Cloud

    def is_told(self, **changes: Any) -> None:
        """The event comes."""
        answer = self.stripe.send(Api(self.ana.api.app), self.event | changes)
        assert answer.status == 200

    def handed_over(self) -> int:
        """The credits that Ana has."""
        left: int = again(self.ana).api.get("/v1/billing/credits").json["remaining"]
        return left


@pytest.fixture
def purchase(ana: Person, stripe: Stripe, cloud: Cloud) -> Purchase:
    """A pack that Ana paid."""
    opened = ana.api.post("/v1/billing/checkouts", PACK, key="one").json
    stripe.pay(opened["url"])
    found = stripe.events()[-1]
    assert found["type"] == "checkout.session.completed"
    return Purchase(ana, found, stripe, cloud)


def event() -> tuple[Any, ...]:
    ((state, attempts, error),) = database.execute(
        "select state, attempts, error from billing.webhook_events"
    )
    return state, attempts, error


@pytest.mark.usefixtures("impatient")
def test_while_stripe_is_down_an_event_waits_and_is_applied_later(
    purchase: Purchase, times: Times
) -> None:
    purchase.stripe.fake.order_outage(2, "error", method="GET")
    purchase.is_told()
    purchase.cloud.deliver()
    assert event() == ("pending", 1, "Unavailable")
    assert (purchase.handed_over(), purchase.cloud.dead) == (0, [])
    times.pass_by(MINUTE)
    times.run(JOB)
    assert event() == ("pending", 2, "Unavailable")
    times.pass_by(MINUTE)
    assert times.run(JOB)["rows"] == 0
    assert event()[1] == 2
    times.pass_by(MINUTE)
    assert times.run(JOB)["rows"] == 1
    assert event() == ("processed", 2, None)
    assert purchase.handed_over() == 10


def test_an_event_whose_message_was_lost_is_applied_by_the_schedule(
    purchase: Purchase, times: Times
) -> None:
    purchase.is_told()
    purchase.cloud.queues.clear()
    times.run(JOB)
    assert event()[0] == "pending"
    times.pass_by(MINUTE)
    times.run(JOB)
    assert event()[0] == "processed"
    assert purchase.handed_over() == 10


def test_an_event_that_came_while_the_queue_was_down_is_applied(
    purchase: Purchase, times: Times
) -> None:
    purchase.cloud.down = True
    purchase.is_told()
    purchase.cloud.down = False
    times.pass_by(MINUTE)
    times.run("core_relay")
    purchase.cloud.deliver()
    assert event()[0] == "processed"
    assert purchase.handed_over() == 10


def crash(*_: Any, **__: Any) -> None:
    raise Crash


def crash_after(function: Any) -> Any:
    def do(*arguments: Any, **named: Any) -> None:
        function(*arguments, **named)
        raise Crash

    return do


CRASHES = {
    "before stripe is asked": (gateway, "session", crash),
    "after stripe was asked": (gateway, "session", crash_after(gateway.session)),
    "before the effect": (checkouts, "apply_session", crash),
    "after the effect, before its commit": (
        checkouts,
        "apply_session",
        crash_after(checkouts.apply_session),
    ),
}


@pytest.mark.parametrize("place", CRASHES)
def test_a_crash_leaves_the_event_to_the_next_who_takes_it(purchase: Purchase, place: str) -> None:
    purchase.is_told()
    waiting = purchase.cloud.queues.pop("webhooks")
    with pytest.MonkeyPatch.context() as patch, nothing_changes():
        patch.setattr(*CRASHES[place])
        with pytest.raises(Crash):
            purchase.cloud.take("webhooks", waiting)
    assert purchase.cloud.take("webhooks", waiting * 3) == []
    assert event()[0] == "processed"
    assert purchase.handed_over() == 10


def test_a_bug_of_ours_is_kept_by_name_and_parked_after_two_days_and_a_half(
    purchase: Purchase, times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("with data of somebody in it")

    monkeypatch.setattr(checkouts, "apply_session", bug)
    purchase.is_told()
    purchase.cloud.deliver()
    assert event() == ("pending", 1, "ZeroDivisionError")
    tries = 1
    while event()[0] == "pending":
        times.pass_by(timedelta(minutes=2**tries, seconds=1))
        times.run(JOB)
        tries += 1
        assert event()[1] == tries
    assert event() == ("failed", 12, "ZeroDivisionError")
    assert timedelta(days=2) < times.ahead < timedelta(days=3)
    times.pass_by(timedelta(days=9))
    times.run(JOB)
    assert event()[1] == 12
    assert purchase.handed_over() == 0


def test_a_payment_of_another_amount_hands_over_nothing_and_is_parked_at_once(
    purchase: Purchase, times: Times
) -> None:
    database.execute("update billing.checkouts set amount = amount + 1")
    database.execute("update billing.checkout_lines set unit_amount = unit_amount + 1")
    purchase.is_told()
    purchase.cloud.deliver()
    times.pass_by(MINUTE)
    times.run(JOB)
    assert event() == ("failed", 1, "WrongAmount")
    assert purchase.handed_over() == 0
    assert database.execute("select state from billing.checkouts") == [("open",)]


def test_one_poisonous_event_among_a_hundred_holds_up_no_other(
    purchase: Purchase, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = checkouts.apply_session
    calls = iter(range(1000))

    def sometimes(*arguments: Any, **named: Any) -> bool:
        if next(calls) == 50:
            raise ZeroDivisionError
        return apply(*arguments, **named)

    monkeypatch.setattr(checkouts, "apply_session", sometimes)
    for number in range(100):
        purchase.is_told(id=f"evt_{number}")
    purchase.cloud.deliver()
    assert sorted(
        database.execute("select state, count(*) from billing.webhook_events group by state")
    ) == [("pending", 1), ("processed", 99)]
    assert (purchase.handed_over(), purchase.cloud.dead) == (10, [])
