"""A checkout that is paid twice is handed over once, and the second payment goes back by itself."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.kernel.billing import gateway
from tests.kernel.billing.lives import (
    Paid,
    another_page,
    bought,
    credits_of,
    payment_of,
    refund_at_provider,
    state_of,
    told,
)
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person, again
from tests.support.races import at_once
from tests.support.stripe import Stripe
from tests.support.times import Times

PACK = {"product": "marketplace", "code": "contacts_10"}
DUE = "billing_webhooks_process_due"
RECONCILE = "billing_reconciliation_reconcile"


class Crash(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class Twice:
    """A pack that Ana paid, and paid again on another page: `second`, which was not told yet."""

    ana: Person
    stripe: Stripe
    cloud: Cloud
    first: Paid
    second: str

    def hear(self) -> None:
        """What Stripe did not tell yet is told and applied."""
        told(Api(self.ana.api.app), self.stripe, self.cloud)

    def send(self, event: dict[str, Any], **changes: Any) -> None:
        """An event is told."""
        self.stripe.send(Api(self.ana.api.app), event | changes)
        self.cloud.deliver()

    def completed(self, payment: str) -> dict[str, Any]:
        """The event that a page was paid by this payment."""
        return next(
            one
            for one in self.stripe.events()
            if one["type"] == "checkout.session.completed"
            and one["data"]["object"]["payment_intent"] == payment
        )

    def pay_again(self, amount: int = 900) -> str:
        """One more page is paid; the payment."""
        return paid_on(self.stripe, another_page(self.stripe, self.first.checkout_id, amount))

    def stands(self) -> bool:
        """Whether Ana has what she paid for, once, and the first payment is as it was."""
        back = again(self.ana)
        kept = database.execute("select external_id from billing.payments")
        return (credits_of(back), state_of(self.first), kept, back_at_stripe(self.first.external_id)) == (
            10, "succeeded", [(self.first.external_id,)], [],
        )  # fmt: skip


@pytest.fixture
def twice(ana: Person, stripe: Stripe, cloud: Cloud) -> Twice:
    """A pack that is paid for twice."""
    first = bought(ana, stripe, cloud)
    second = paid_on(stripe, another_page(stripe, first.checkout_id))
    return Twice(ana, stripe, cloud, first, second)


def paid_on(stripe: Stripe, session: str) -> str:
    """Pay on a page; the payment."""
    intent: str = stripe.fake.act(session, "pay")["payment_intent"]
    return intent


def back_at_stripe(payment: str) -> list[tuple[int, str, str]]:
    found = gateway.refunds_of("sk_test_kith", payment_intent=payment)
    return [(one.amount, one.reason, one.state) for one in found]


WHOLE = [(900, "duplicate", "succeeded")]


def parked() -> list[tuple[Any, ...]]:
    return database.execute(
        "select distinct state, attempts, error from billing.webhook_events"
        " where state in ('pending', 'failed')"
    )


def noted() -> int:
    ((count,),) = database.execute(
        "select count(*) from core.audit_log where action = 'billing.refund_second_payment'"
    )
    return int(count)


def test_the_second_payment_goes_back_and_the_first_stays(twice: Twice) -> None:
    twice.hear()
    assert back_at_stripe(twice.second) == WHOLE
    assert twice.stands()
    # What Stripe tells of that refund is no news, and leaves nothing to look at.
    twice.hear()
    assert (parked(), noted(), twice.stands()) == ([], 1, True)


def test_however_often_it_is_told_it_goes_back_once(twice: Twice, times: Times) -> None:
    twice.hear()
    for number in range(3):
        twice.send(twice.completed(twice.second), id=f"evt_again_{number}")
    for _ in range(2):
        times.pass_by(timedelta(days=1))
        times.run(RECONCILE)
        twice.cloud.deliver()
    assert (back_at_stripe(twice.second), noted(), parked()) == (WHOLE, 1, [])


def test_it_goes_back_whole_whatever_it_was(twice: Twice) -> None:
    third = twice.pay_again(1234)
    twice.hear()
    assert back_at_stripe(third) == [(1234, "duplicate", "succeeded")]
    assert (parked(), twice.stands()) == ([], True)


def test_it_goes_back_though_no_webhook_came(twice: Twice, times: Times) -> None:
    times.pass_by(timedelta(days=1))
    times.run(RECONCILE)
    assert back_at_stripe(twice.second) == WHOLE
    assert twice.stands()


def test_of_two_payments_applied_at_once_one_goes_back(
    api: Api, ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    opened = ana.api.post("/v1/billing/checkouts", PACK, key="one").json
    pages = (opened["url"].rpartition("/")[2], another_page(stripe, opened["id"]))
    intents = {paid_on(stripe, one) for one in pages}
    stripe.send_webhooks(api)
    waiting = cloud.queues.pop("webhooks")
    at_once([partial(cloud.take, "webhooks", [one]) for one in waiting])
    cloud.deliver()
    first = payment_of(opened["id"]).external_id
    (other,) = intents - {first}
    assert (back_at_stripe(first), back_at_stripe(other)) == ([], WHOLE)
    assert (credits_of(ana), parked()) == (10, [])


@pytest.mark.usefixtures("impatient")
def test_while_stripe_is_down_it_waits(twice: Twice, times: Times) -> None:
    twice.stripe.fake.order_outage(1, "error", method="POST", path="/v1/refunds")
    twice.hear()
    assert (parked(), back_at_stripe(twice.second)) == ([("pending", 1, "Unavailable")], [])
    times.pass_by(timedelta(minutes=2))
    times.run(DUE)
    assert (parked(), back_at_stripe(twice.second)) == ([], WHOLE)
    assert twice.stands()


def test_a_crash_right_after_it_went_back_repeats_nothing(
    twice: Twice, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_back = gateway.create_refund

    def crash(*given: Any, **named: Any) -> None:
        give_back(*given, **named)
        raise Crash

    twice.stripe.send_webhooks(Api(twice.ana.api.app))
    waiting = twice.cloud.queues.pop("webhooks")
    monkeypatch.setattr(gateway, "create_refund", crash)
    with pytest.raises(Crash):
        twice.cloud.take("webhooks", waiting)
    monkeypatch.setattr(gateway, "create_refund", give_back)
    assert twice.cloud.take("webhooks", waiting) == []
    assert (back_at_stripe(twice.second), parked(), twice.stands()) == (WHOLE, [], True)


def test_what_an_operator_gave_back_already_is_settled(twice: Twice) -> None:
    refund_at_provider(twice.stripe, twice.second, 900)
    twice.hear()
    assert len(back_at_stripe(twice.second)) == 1
    assert parked() == []


def test_what_is_refused_is_parked_at_once(twice: Twice) -> None:
    twice.stripe.fake.open_dispute(twice.second)
    twice.hear()
    assert (parked(), twice.stands()) == ([("failed", 1, "NotReturned")], True)


def test_what_does_not_arrive_is_parked_at_once(twice: Twice) -> None:
    twice.hear()
    (given,) = gateway.refunds_of("sk_test_kith", payment_intent=twice.second)
    twice.stripe.fake.fail_refund(given.id)
    twice.hear()
    assert (parked(), twice.stands()) == ([("failed", 1, "NotReturned")], True)


def test_a_page_that_was_not_paid_takes_nothing_back(twice: Twice) -> None:
    """It may be noted after the one that was paid: what counts is what paid it."""
    unpaid = another_page(twice.stripe, twice.first.checkout_id)
    database.execute("update billing.checkouts set external_id = $1", unpaid)
    twice.send(twice.completed(twice.first.external_id), id="evt_again")
    assert (parked(), twice.stands()) == ([], True)
