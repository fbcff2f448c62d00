"""A Checkout Session by Pix: the code completes it unpaid; the money comes later, or doesn't."""

from collections.abc import Callable

import pytest
import stripe

from local.stripe.errors import StripeError
from local.stripe.server import Running

NewSession = Callable[..., stripe.checkout.Session]
Happened = Callable[[], list[str]]

SHOWN = [
    "payment_intent.created",
    "payment_intent.requires_action",
    "checkout.session.completed",
]
PAID = ["charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded"]
EXPIRED = ["payment_intent.payment_failed", "checkout.session.async_payment_failed"]


@pytest.fixture
def shown(fake: Running, new_session: NewSession) -> stripe.checkout.Session:
    """A session whose Pix code the payer sees, to be paid within half an hour."""
    session = new_session(payment_method_options={"pix": {"expires_after_seconds": 1800}})
    fake.act(session.id, "pix")
    return session


def intent_of(
    client: stripe.StripeClient, session: stripe.checkout.Session
) -> stripe.PaymentIntent:
    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert isinstance(after.payment_intent, stripe.PaymentIntent)
    return after.payment_intent


def test_the_code_is_shown(
    client: stripe.StripeClient, fake: Running, shown: stripe.checkout.Session, happened: Happened
) -> None:
    waiting = client.v1.checkout.sessions.retrieve(shown.id)
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    intent = intent_of(client, shown)
    assert intent.status == "requires_action"
    assert intent.next_action is not None
    code = intent.next_action.pix_display_qr_code
    assert code is not None
    assert code.expires_at == pytest.approx(fake.clock().now + 1800, abs=3)
    assert code.hosted_instructions_url == f"{fake.url}/pay/{shown.id}"
    assert client.v1.charges.list().data == []
    assert happened() == SHOWN


def test_paid(
    client: stripe.StripeClient, fake: Running, shown: stripe.checkout.Session, happened: Happened
) -> None:
    paid = fake.act(shown.id, "pix_pay")
    assert (paid["status"], paid["payment_status"]) == ("complete", "paid")
    (charge,) = client.v1.charges.list({"payment_intent": intent_of(client, shown).id}).data
    assert charge.payment_method_details is not None
    assert (charge.payment_method_details.type, charge.amount) == ("pix", 1000)
    assert happened() == SHOWN + PAID
    with pytest.raises(StripeError, match="waits to be paid"):
        fake.act(shown.id, "pix_pay")


def test_expired_by_time(
    client: stripe.StripeClient, fake: Running, shown: stripe.checkout.Session, happened: Happened
) -> None:
    fake.set_clock(1790)
    assert intent_of(client, shown).status == "requires_action"
    fake.set_clock(1801)
    intent = intent_of(client, shown)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "payment_intent_payment_attempt_expired"
    assert client.v1.checkout.sessions.retrieve(shown.id).payment_status == "unpaid"
    assert happened() == SHOWN + EXPIRED
    with pytest.raises(StripeError, match="can't be paid"):
        fake.act(shown.id, "pix_pay")


def test_expired_then_paid_after_all(
    client: stripe.StripeClient, fake: Running, shown: stripe.checkout.Session, happened: Happened
) -> None:
    fake.act(shown.id, "pix_expire")
    late = fake.act(shown.id, "pix_pay_late")
    assert late["payment_status"] == "paid"
    assert happened() == SHOWN + EXPIRED + PAID


def test_a_session_with_its_code_shown_no_longer_expires(
    client: stripe.StripeClient, fake: Running, new_session: NewSession
) -> None:
    session = new_session(
        expires_at=fake.clock().now + 31 * 60,
        payment_method_options={"pix": {"expires_after_seconds": 7200}},
    )
    fake.act(session.id, "pix")
    with pytest.raises(stripe.InvalidRequestError, match="status of `complete`"):
        client.v1.checkout.sessions.expire(session.id)
    fake.set_clock(3600)  # past the session's own end, within the code's time
    assert fake.act(session.id, "pix_pay")["payment_status"] == "paid"


def test_declined_by_card_then_paid_by_pix(
    client: stripe.StripeClient, fake: Running, new_session: NewSession
) -> None:
    session = new_session()
    fake.act(session.id, "decline")
    fake.act(session.id, "pix")
    fake.act(session.id, "pix_pay")
    charges = client.v1.charges.list({"payment_intent": intent_of(client, session).id}).data
    assert [charge.status for charge in charges] == ["succeeded", "failed"]


def test_no_pix_where_it_was_not_allowed(fake: Running, new_session: NewSession) -> None:
    session = new_session(allowed_payment_method_types=["card"])
    with pytest.raises(StripeError, match="can't be paid by pix"):
        fake.act(session.id, "pix")
    with pytest.raises(StripeError, match="waits to be paid"):
        fake.act(session.id, "pix_pay")
