"""Payments, declined cards, refunds and disputes: the same on the fake and in Stripe's test mode."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import stripe

from chalicelib.kernel.billing import gateway
from tests.local.stripe.same_as_stripe.conftest import Backend

WORDS = {"product": "marketplace", "reason": "requested_by_customer"}


def declined(backend: Backend, card: str, checkout_id: UUID) -> stripe.CardError:
    with pytest.raises(stripe.CardError) as caught:
        backend.pay(card, checkout_id=checkout_id)
    return caught.value


def charge_of(backend: Backend, payment: str) -> stripe.Charge:
    found = backend.client.v1.payment_intents.retrieve(payment, {"expand": ["latest_charge"]})
    assert isinstance(found.latest_charge, stripe.Charge)
    return found.latest_charge


def test_a_card_pays(backend: Backend) -> None:
    checkout = uuid4()
    paid = backend.pay(checkout_id=checkout)
    assert (paid.status, paid.amount_received, paid.currency) == ("succeeded", 2900, "usd")
    charge = charge_of(backend, paid.id)
    assert (charge.status, charge.paid, charge.captured) == ("succeeded", True, True)
    assert (charge.amount, charge.refunded, charge.disputed) == (2900, False, False)
    assert charge.payment_intent == paid.id
    assert charge.metadata.to_dict() == {"checkout_id": str(checkout), "product": "marketplace"}
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.type == "card"
    assert gateway.failures(backend.key, paid.id) == []
    assert gateway.session_of(backend.key, paid.id) is None


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
def test_a_declined_card_says_why(backend: Backend, card: str, reason: str) -> None:
    checkout = uuid4()
    error = declined(backend, card, checkout)
    told: Any = error.error
    assert (error.http_status, error.code, told.type) == (402, "card_declined", "card_error")
    assert told.decline_code == reason
    intent = backend.client.v1.payment_intents.retrieve(told.payment_intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "card_declined"
    charge = charge_of(backend, intent.id)
    assert (charge.status, charge.paid) == ("failed", False)
    assert (told.charge, charge.failure_code) == (charge.id, "card_declined")
    assert gateway.failures(backend.key, intent.id) == [
        gateway.Failure(charge.id, checkout, reason)
    ]


def test_a_payment_can_be_tried_again_and_remembers_what_failed(backend: Backend) -> None:
    checkout = uuid4()
    told: Any = declined(backend, "pm_card_chargeDeclined", checkout).error
    again = backend.client.v1.payment_intents.confirm(
        told.payment_intent.id, {"payment_method": "pm_card_visa"}
    )
    assert (again.status, again.last_payment_error) == ("succeeded", None)
    assert gateway.failures(backend.key, again.id) == [
        gateway.Failure(told.charge, checkout, "generic_decline")
    ]


def test_money_goes_back_in_parts_each_once(backend: Backend) -> None:
    payment = backend.pay().id
    part, rest = uuid4(), uuid4()
    made = gateway.create_refund(backend.key, part, payment, 1000, **WORDS)
    assert made == gateway.Refund(
        made.id, part, payment, 1000, "requested_by_customer", "succeeded"
    )
    assert gateway.create_refund(backend.key, part, payment, 1000, **WORDS) == made
    assert gateway.refund(backend.key, made.id) == made
    charge = charge_of(backend, payment)
    assert (charge.amount_refunded, charge.refunded) == (1000, False)
    with pytest.raises(gateway.Refused):
        gateway.create_refund(backend.key, uuid4(), payment, 1901, **WORDS)
    last = gateway.create_refund(backend.key, rest, payment, 1900, **WORDS)
    charge = charge_of(backend, payment)
    assert (charge.amount_refunded, charge.refunded) == (2900, True)
    for of in ({"payment_intent": payment}, {"charge": charge.id}):
        assert {*gateway.refunds_of(backend.key, **of)} == {made, last}
    with pytest.raises(gateway.Refused, match="charge_already_refunded"):
        gateway.create_refund(backend.key, uuid4(), payment, 1, **WORDS)


def test_a_whole_refund_and_where_it_is_listed(backend: Backend) -> None:
    payment = backend.pay()
    made = gateway.create_refund(backend.key, uuid4(), payment.id, 2900, **WORDS)
    assert charge_of(backend, payment.id).refunded is True
    begin = datetime.fromtimestamp(payment.created, UTC)
    assert made in gateway.recent(backend.key, "refunds", begin, None).items


def test_more_than_was_paid_never_goes_back(backend: Backend) -> None:
    payment = backend.pay().id
    with pytest.raises(stripe.InvalidRequestError) as caught:
        backend.client.v1.refunds.create({"payment_intent": payment, "amount": 2901})
    assert (caught.value.http_status, caught.value.param) == (400, "amount")
    assert gateway.refunds_of(backend.key, payment_intent=payment) == []


def test_what_was_not_paid_cannot_be_given_back(backend: Backend) -> None:
    told: Any = declined(backend, "pm_card_chargeDeclined", uuid4()).error
    with pytest.raises(gateway.Refused):
        gateway.create_refund(backend.key, uuid4(), told.payment_intent.id, 2900, **WORDS)


def test_a_dispute_takes_the_money_and_is_lost_by_giving_in(backend: Backend) -> None:
    payment, found = backend.disputed("pm_card_createDispute")
    told = gateway.dispute(backend.key, found.id)
    assert told == gateway.Dispute(found.id, payment.id, 2900, "fraudulent", "open")
    assert charge_of(backend, payment.id).disputed is True
    with pytest.raises(gateway.Refused, match="charge_disputed"):
        gateway.create_refund(backend.key, uuid4(), payment.id, 2900, **WORDS)
    begin = datetime.fromtimestamp(payment.created, UTC)
    assert told in gateway.recent(backend.key, "disputes", begin, None).items
    closed = backend.client.v1.disputes.close(found.id)
    assert (closed.status, gateway.dispute(backend.key, found.id).state) == ("lost", "lost")


def test_an_inquiry_takes_nothing_yet(backend: Backend) -> None:
    payment, found = backend.disputed("pm_card_createDisputeInquiry")
    told = gateway.dispute(backend.key, found.id)
    assert (told.payment_id, told.amount, told.state) == (payment.id, 2900, "inquiry")
