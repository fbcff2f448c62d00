"""Events, of the types that we act on, and their signature: the same on the fake and in Stripe's
test mode.
"""

import json
import time
from uuid import uuid4

import pytest
import stripe

from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.webhooks.gateway import Forged, verify
from local.stripe.signing import signature
from tests.local.stripe.same_as_stripe.conftest import Backend

SECRET = "whsec_of_this_test"


def test_a_payment_and_its_refund_are_told(backend: Backend) -> None:
    paid = backend.pay()
    made = gateway.create_refund(
        backend.key, uuid4(), paid.id, 1000, product="marketplace", reason="duplicate"
    )
    charge = paid.latest_charge
    assert isinstance(charge, str)
    happened = backend.events_of(
        ("payment_intent.created", paid.id),
        ("charge.succeeded", charge),
        ("payment_intent.succeeded", paid.id),
        ("refund.created", made.id),
        ("charge.refunded", charge),
        since=paid.created,
    )
    for (kind, named), event in happened.items():
        assert event["id"].startswith("evt_")
        assert (event["type"], event["livemode"]) == (kind, False)
        assert event["data"] == {"object": {"id": named}}


def test_a_declined_card_is_told(backend: Backend) -> None:
    with pytest.raises(stripe.CardError) as caught:
        backend.pay("pm_card_chargeDeclined")
    told = caught.value.error
    assert told is not None
    assert told.payment_intent is not None
    assert told.charge is not None
    backend.events_of(
        ("payment_intent.payment_failed", told.payment_intent.id),
        ("charge.failed", told.charge),
        since=told.payment_intent.created,
    )


def test_a_session_that_is_closed_is_told(backend: Backend) -> None:
    _, session_id, _ = backend.open_session()
    created = backend.client.v1.checkout.sessions.retrieve(session_id).created
    gateway.close_session(backend.key, session_id)
    backend.events_of(("checkout.session.expired", session_id), since=created)


def test_a_dispute_is_told(backend: Backend) -> None:
    payment, found = backend.disputed("pm_card_createDispute")
    backend.client.v1.disputes.close(found.id)
    backend.events_of(
        ("charge.dispute.created", found.id),
        ("charge.dispute.funds_withdrawn", found.id),
        ("charge.dispute.closed", found.id),
        since=payment.created,
    )


def test_an_event_that_we_sign_passes_for_stripes_and_the_other_way_round(
    backend: Backend,
) -> None:
    paid = backend.pay()
    wanted = ("payment_intent.succeeded", paid.id)
    named = backend.events_of(wanted, since=paid.created)[wanted]["id"]
    event = backend.client.v1.events.retrieve(named)
    body = json.dumps(event.to_dict(), ensure_ascii=False, default=str)
    now = int(time.time())
    ours = signature(body.encode(), ["whsec_old", SECRET], now)
    assert stripe.WebhookSignature.verify_header(body, ours, SECRET, 300)
    assert stripe.Webhook.construct_event(body, ours, SECRET).id == named
    verify(body.encode(), stripe.WebhookSignature.generate_signature_header(body, SECRET), [SECRET])
    verify(body.encode(), ours, [SECRET])
    late = signature(body.encode(), [SECRET], now - 301)
    for payload, header in ((body + " ", ours), (body, late)):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.WebhookSignature.verify_header(payload, header, SECRET, 300)
        with pytest.raises(Forged):
            verify(payload.encode(), header, [SECRET])
