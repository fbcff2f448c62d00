"""Stripe: the only file that knows its SDK. Amounts are minor units, times are UTC."""

from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.config import config
from chalicelib.core.errors import Unavailable

# Stripe tolerates 300 s of age by its own recommendation; its SDK forgets the other direction.
TOLERANCE_SECONDS = 300
_TIMEOUT_SECONDS = 8
_RETRIES = 2


class Line(NamedTuple):
    """What the provider's page shows and charges."""

    description: str
    quantity: int
    unit_amount: int
    currency: str


class Session(NamedTuple):
    """A checkout session as the provider has it now."""

    id: str
    checkout_id: UUID | None
    paid: bool
    expired: bool
    payment_id: str | None
    method: str
    amount: int
    currency: str


class Failure(NamedTuple):
    """A declined try to pay."""

    id: str
    checkout_id: UUID | None
    code: str


class Forged(Exception):
    """A webhook that Stripe did not sign for us, or not now."""


@cache
def _client() -> Any:
    import stripe  # noqa: PLC0415  100 ms that only those pay who talk to Stripe

    stripe.enable_telemetry = False
    settings = config()
    addresses: Any = {"api": settings.stripe_url} if settings.stripe_url else {}
    return stripe.StripeClient(
        settings.stripe_key,
        base_addresses=addresses,
        max_network_retries=_RETRIES,
        http_client=stripe.RequestsClient(timeout=_TIMEOUT_SECONDS),
    )


def create_session(
    checkout_id: UUID, product: str, lines: list[Line], expires_at: datetime
) -> tuple[str, str]:
    """Open a page to pay on, once for each checkout: its id and address. Unavailable on failure."""
    import stripe  # noqa: PLC0415  see above

    named = {"checkout_id": str(checkout_id), "product": product}
    try:
        session = _client().v1.checkout.sessions.create(
            {
                "mode": "payment",
                "client_reference_id": str(checkout_id),
                "line_items": [
                    {
                        "quantity": line.quantity,
                        "price_data": {
                            "currency": line.currency.lower(),
                            "unit_amount": line.unit_amount,
                            "product_data": {"name": line.description},
                        },
                    }
                    for line in lines
                ],
                "metadata": named,
                "payment_intent_data": {"metadata": named},
                "expires_at": int(expires_at.timestamp()),
                "success_url": f"{config().public_url}/paid?checkout_id={checkout_id}",
                "cancel_url": f"{config().public_url}/not_paid?checkout_id={checkout_id}",
            },
            {"idempotency_key": f"checkout-{checkout_id}"},
        )
    except stripe.StripeError as error:
        raise Unavailable("payments can't be reached at the moment") from error
    return session.id, session.url


def session(session_id: str) -> Session:
    """A session as it is now; Unavailable on failure."""
    import stripe  # noqa: PLC0415  see above

    try:
        found = _client().v1.checkout.sessions.retrieve(
            session_id, {"expand": ["payment_intent.latest_charge"]}
        )
    except stripe.StripeError as error:
        raise Unavailable("Stripe did not answer") from error
    intent = found.payment_intent
    charge = intent.latest_charge if intent else None
    details = charge.payment_method_details if charge else None
    return Session(
        id=found.id,
        checkout_id=_ours(found.metadata),
        paid=found.payment_status == "paid",
        expired=found.status == "expired",
        payment_id=intent.id if intent else None,
        method=details.type if details else "card",
        amount=found.amount_total or 0,
        currency=(found.currency or "").upper(),
    )


def failure(payment_intent_id: str) -> Failure | None:
    """The last declined try of a payment; None if it has none by now. Unavailable on failure."""
    import stripe  # noqa: PLC0415  see above

    try:
        found = _client().v1.payment_intents.retrieve(payment_intent_id)
    except stripe.StripeError as error:
        raise Unavailable("Stripe did not answer") from error
    declined = found.last_payment_error
    if declined is None:
        return None
    charge = getattr(declined, "charge", None) or found.id
    code = getattr(declined, "decline_code", None) or declined.code or declined.type
    return Failure(charge, _ours(found.metadata), code)


def verify(body: bytes, signature: str | None) -> None:
    """Hold a webhook's signature against the raw body; Forged if it is not Stripe's, for us, now.

    Several secrets are taken while one is being replaced.
    """
    import stripe  # noqa: PLC0415  see above

    secrets = [secret for secret in config().stripe_webhook_secret.split(",") if secret]
    try:
        told = dict(part.split("=", 1) for part in (signature or "").split(","))
        if int(told["t"]) > clock.real_time().timestamp() + TOLERANCE_SECONDS:
            raise Forged
        text = body.decode()
    except (ValueError, KeyError) as error:
        raise Forged from error
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(text, signature or "", secret, TOLERANCE_SECONDS)
        except stripe.SignatureVerificationError:
            continue
        return
    raise Forged


def _ours(metadata: Any) -> UUID | None:
    """The checkout an object of Stripe's is for; None for objects that others made there."""
    try:
        return UUID(metadata["checkout_id"])
    except (KeyError, TypeError, ValueError):
        return None
