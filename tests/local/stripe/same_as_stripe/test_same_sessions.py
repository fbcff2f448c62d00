"""Checkout sessions, by our gateway: the same on the fake and in Stripe's test mode."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import stripe

from chalicelib.core.config import config
from chalicelib.core.errors import Unavailable
from chalicelib.kernel.billing import gateway
from tests.local.stripe.same_as_stripe.conftest import Backend


def test_a_session_is_what_was_asked_for(backend: Backend) -> None:
    checkout, session_id, page = backend.open_session()
    assert page.startswith("http")
    assert gateway.session(backend.key, session_id) == gateway.Session(
        id=session_id,
        checkout_id=checkout,
        paid=False,
        expired=False,
        payment_id=None,
        method="card",
        amount=2900,
        currency="USD",
    )
    told = backend.client.v1.checkout.sessions.retrieve(session_id)
    assert (told.object, told.mode, told.livemode) == ("checkout.session", "payment", False)
    assert (told.status, told.payment_status, told.url) == ("open", "unpaid", page)
    assert (told.amount_total, told.currency) == (2900, "usd")
    assert told.client_reference_id == str(checkout)
    assert told.metadata is not None
    assert told.metadata.to_dict() == {"checkout_id": str(checkout), "product": "marketplace"}
    assert told.success_url == f"{config().public_url}/paid?checkout_id={checkout}"
    assert told.cancel_url == f"{config().public_url}/not_paid?checkout_id={checkout}"
    assert told.payment_intent is None
    assert "card" in told.payment_method_types
    assert told.id.startswith("cs_test_")


def test_lines_add_up_and_the_session_ends_when_it_was_told(backend: Backend) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=40)
    lines = [
        gateway.Line("Ten contacts", 2, 900, "USD"),
        gateway.Line("Posting fee, one year", 1, 2900, "USD"),
    ]
    session_id, _ = gateway.create_session(backend.key, uuid4(), "marketplace", lines, until)
    told = backend.client.v1.checkout.sessions.retrieve(session_id, {"expand": ["line_items"]})
    assert (told.amount_total, told.expires_at) == (4700, int(until.timestamp()))
    assert told.line_items is not None
    shown = {(one.description, one.quantity, one.amount_total) for one in told.line_items.data}
    assert shown == {("Ten contacts", 2, 1800), ("Posting fee, one year", 1, 2900)}


def test_asking_again_opens_nothing_new(backend: Backend) -> None:
    checkout, session_id, page = backend.open_session()
    assert backend.open_session(checkout_id=checkout) == (checkout, session_id, page)
    _, later, _ = backend.open_session(checkout_id=checkout, hours=3)
    assert later != session_id


def test_a_key_is_for_one_request(backend: Backend) -> None:
    checkout, _, _ = backend.open_session()
    with pytest.raises(Unavailable) as caught:
        backend.open_session(checkout_id=checkout, amount=3000)
    cause = caught.value.__cause__
    assert isinstance(cause, stripe.IdempotencyError)
    assert cause.http_status == 400


def test_a_session_is_closed_once(backend: Backend) -> None:
    checkout, session_id, _ = backend.open_session()
    closed = gateway.close_session(backend.key, session_id)
    assert (closed.id, closed.checkout_id, closed.expired) == (session_id, checkout, True)
    assert gateway.close_session(backend.key, session_id) == closed
    assert gateway.session(backend.key, session_id) == closed
    with pytest.raises(stripe.InvalidRequestError) as caught:
        backend.client.v1.checkout.sessions.expire(session_id)
    assert caught.value.http_status == 400
    told = backend.client.v1.checkout.sessions.retrieve(session_id)
    assert (told.status, told.payment_status, told.url) == ("expired", "unpaid", None)


@pytest.mark.parametrize("minutes", [10, 25 * 60])
def test_a_session_can_be_open_for_half_an_hour_to_a_day(backend: Backend, minutes: int) -> None:
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    lines = [gateway.Line("Posting fee, one year", 1, 2900, "USD")]
    with pytest.raises(gateway.Refused):
        gateway.create_session(backend.key, uuid4(), "marketplace", lines, until)


def test_sessions_are_listed(backend: Backend) -> None:
    _, first, _ = backend.open_session()
    since = backend.client.v1.checkout.sessions.retrieve(first).created
    _, second, _ = backend.open_session()
    part = gateway.recent(backend.key, "sessions", datetime.fromtimestamp(since, UTC), None)
    for session_id in (first, second):
        assert gateway.session(backend.key, session_id) in part.items
