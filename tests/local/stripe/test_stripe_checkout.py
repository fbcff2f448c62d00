"""A Checkout Session by card: paid, declined first, cancelled, expired; and what it tells."""

from collections.abc import Callable

import pytest
import stripe

from local.stripe.server import Running

NewSession = Callable[..., stripe.checkout.Session]
Happened = Callable[[], list[str]]


def test_a_new_session_is_open_and_unpaid(
    client: stripe.StripeClient, fake: Running, new_session: NewSession, happened: Happened
) -> None:
    session = new_session()
    assert (session.status, session.payment_status, session.amount_total) == (
        "open",
        "unpaid",
        1000,
    )
    assert session.url == f"{fake.url}/pay/{session.id}"
    assert session.payment_method_types == ["card", "pix"]
    assert session.payment_intent is None  # Stripe makes it at the first try to pay
    assert session.expires_at == session.created + 24 * 3600
    items = client.v1.checkout.sessions.line_items.list(session.id)
    assert [(i.description, i.quantity, i.amount_total) for i in items.data] == [
        ("Posting fee", 2, 1000)
    ]
    expanded = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})
    assert expanded.line_items is not None
    assert len(expanded.line_items.data) == 1
    assert happened() == []


def test_paid_by_card(
    client: stripe.StripeClient, fake: Running, new_session: NewSession, happened: Happened
) -> None:
    session = new_session(customer_email="ana@example.com")
    fake.act(session.id, "pay")
    paid = client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.latest_charge"]}
    )
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.client_reference_id == "order-1"
    assert paid.customer_details is not None
    assert paid.customer_details.email == "ana@example.com"
    intent = paid.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.amount_received) == ("succeeded", 1000)
    assert intent.metadata.to_dict() == {"checkout": "order-1"}
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert intent.latest_charge.payment_method_details is not None
    assert intent.latest_charge.payment_method_details.type == "card"
    assert happened() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    found = client.v1.checkout.sessions.list({"payment_intent": intent.id})
    assert [s.id for s in found.data] == [session.id]
    with pytest.raises(stripe.InvalidRequestError, match="Expire the Checkout"):
        client.v1.payment_intents.cancel(intent.id)


def test_declined_then_paid(
    client: stripe.StripeClient, fake: Running, new_session: NewSession, happened: Happened
) -> None:
    session = new_session()
    fake.act(session.id, "decline")
    tried = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (tried.status, tried.payment_status) == ("open", "unpaid")
    assert isinstance(tried.payment_intent, stripe.PaymentIntent)
    error = tried.payment_intent.last_payment_error
    assert error is not None
    assert (error.code, error.decline_code) == ("card_declined", "generic_decline")
    fake.act(session.id, "pay")
    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert (paid.payment_intent, paid.payment_status) == (tried.payment_intent.id, "paid")
    charges = client.v1.charges.list({"payment_intent": tried.payment_intent.id}).data
    assert [charge.status for charge in charges] == ["succeeded", "failed"]
    assert happened() == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_paying_twice_takes_no_second_charge(
    client: stripe.StripeClient, fake: Running, new_session: NewSession
) -> None:
    session = new_session()
    fake.act(session.id, "pay")
    with pytest.raises(Exception, match="status of `complete`"):
        fake.act(session.id, "pay")
    assert len(client.v1.charges.list().data) == 1


@pytest.mark.parametrize("action", ["cancel", "wait"])
def test_going_away_changes_nothing(
    client: stripe.StripeClient,
    fake: Running,
    new_session: NewSession,
    action: str,
    happened: Happened,
) -> None:
    session = new_session()
    fake.act(session.id, action)  # type: ignore[arg-type]
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert happened() == []


def test_expired_by_the_api(
    client: stripe.StripeClient, fake: Running, new_session: NewSession, happened: Happened
) -> None:
    session = new_session()
    fake.act(session.id, "decline")
    gone = client.v1.checkout.sessions.expire(session.id, {"expand": ["payment_intent"]})
    assert (gone.status, gone.payment_status, gone.url) == ("expired", "unpaid", None)
    assert isinstance(gone.payment_intent, stripe.PaymentIntent)
    assert gone.payment_intent.status == "canceled"
    assert happened()[-2:] == ["payment_intent.canceled", "checkout.session.expired"]
    with pytest.raises(stripe.InvalidRequestError, match=r'status in \["open"\] can be expired'):
        client.v1.checkout.sessions.expire(session.id)
    with pytest.raises(Exception, match="status of `expired`"):
        fake.act(session.id, "pay")


def test_expired_by_time_and_only_then(
    client: stripe.StripeClient, fake: Running, new_session: NewSession, happened: Happened
) -> None:
    session = new_session(expires_at=fake.clock().now + 31 * 60)
    fake.set_clock(30 * 60)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    fake.set_clock(31 * 60 + 1)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert happened() == ["checkout.session.expired"]
    open_ones = client.v1.checkout.sessions.list({"status": "open"})
    assert open_ones.data == []


def test_a_free_session_needs_no_payment(
    client: stripe.StripeClient, fake: Running, new_session: NewSession, happened: Happened
) -> None:
    price = {"currency": "brl", "unit_amount": 0, "product_data": {"name": "Gift"}}
    session = new_session(line_items=[{"price_data": price, "quantity": 1}])
    done = fake.act(session.id, "pay")
    assert (done["payment_status"], done["payment_intent"]) == ("no_payment_required", None)
    assert happened() == ["checkout.session.completed"]


def test_a_customer_is_made_when_asked_for(
    client: stripe.StripeClient, fake: Running, new_session: NewSession
) -> None:
    session = new_session(customer_creation="always")
    fake.act(session.id, "decline")
    done = fake.act(session.id, "pay", email="ana@example.com")
    customer = client.v1.customers.retrieve(done["customer"])
    assert customer.email == "ana@example.com"
    assert client.v1.charges.list({"customer": customer.id}).data[0].status == "succeeded"


def test_a_saved_price_is_sold_until_it_is_archived(
    client: stripe.StripeClient, new_session: NewSession
) -> None:
    price = client.v1.prices.create(
        {"product_data": {"name": "Pack"}, "currency": "usd", "unit_amount": 2900}
    )
    session = new_session(line_items=[{"price": price.id, "quantity": 1}])
    assert (session.amount_total, session.payment_method_types) == (2900, ["card"])
    client.v1.prices.update(price.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        new_session(line_items=[{"price": price.id, "quantity": 1}])
    monthly = client.v1.prices.create(
        {
            "product_data": {"name": "Plan"},
            "currency": "usd",
            "unit_amount": 990,
            "recurring": {"interval": "month"},
        }
    )
    with pytest.raises(stripe.InvalidRequestError, match="passed a recurring price"):
        new_session(line_items=[{"price": monthly.id, "quantity": 1}])


def test_metadata_of_a_session_can_be_changed(
    client: stripe.StripeClient, new_session: NewSession
) -> None:
    session = new_session()
    changed = client.v1.checkout.sessions.update(session.id, {"metadata": {"seen": "yes"}})
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"product": "marketplace", "seen": "yes"}
