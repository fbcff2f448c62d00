"""Stripe: the only file that knows its SDK. Amounts are minor units, times are UTC.

`key` is the secret key of the account that is asked. Unavailable is raised where Stripe can't be
reached or doesn't know what happened; Refused where it said no.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core.config import config
from chalicelib.core.errors import Unavailable

_TIMEOUT_SECONDS = 8
_RETRIES = 2
_PAGE = 100
_CHARGE = "payment_intent.latest_charge"

_REFUND_STATES = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}
_DISPUTE_STATES = {
    "warning_needs_response": "inquiry",
    "warning_under_review": "inquiry",
    "warning_closed": "inquiry",
    "prevented": "inquiry",
    "won": "won",
    "lost": "lost",
}


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


class Refund(NamedTuple):
    """Money on its way back; `refund_id` is our row's, where we ordered it."""

    id: str
    refund_id: UUID | None
    payment_id: str
    amount: int
    reason: str
    state: str


class Dispute(NamedTuple):
    """What a payer's bank asks back."""

    id: str
    payment_id: str
    amount: int
    reason: str
    state: str


class Slice(NamedTuple):
    """A part of a list, newest first; `cursor` is where the next part begins."""

    items: list[Any]
    cursor: str | None


class Refused(Exception):
    """Stripe says no, and will again; the argument is its code."""


@cache
def _client(key: str) -> Any:
    import stripe  # noqa: PLC0415  100 ms that only those pay who talk to Stripe

    stripe.enable_telemetry = False
    settings = config()
    addresses: Any = {"api": settings.stripe_url} if settings.stripe_url else {}
    return stripe.StripeClient(
        key,
        base_addresses=addresses,
        max_network_retries=_RETRIES,
        http_client=stripe.RequestsClient(timeout=_TIMEOUT_SECONDS),
    )


@contextmanager
def _stripe(key: str) -> Iterator[Any]:
    """Stripe's API, with its errors turned into ours."""
    import stripe  # noqa: PLC0415  see above

    try:
        yield _client(key).v1
    except stripe.InvalidRequestError as error:
        raise Refused(error.code or "invalid_request") from error
    except stripe.StripeError as error:
        raise Unavailable("payments can't be reached at the moment") from error


def create_session(
    key: str, checkout_id: UUID, product: str, lines: list[Line], expires_at: datetime
) -> tuple[str, str]:
    """Open a page to pay on, once for each checkout and expiry: its id and address."""
    named = {"checkout_id": str(checkout_id), "product": product}
    with _stripe(key) as stripe:
        session = stripe.checkout.sessions.create(
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
            {"idempotency_key": f"checkout-{checkout_id}-{int(expires_at.timestamp())}"},
        )
    return session.id, session.url


def session(key: str, session_id: str) -> Session:
    """A session as it is now."""
    with _stripe(key) as stripe:
        return _session(stripe.checkout.sessions.retrieve(session_id, {"expand": [_CHARGE]}))


def session_of(key: str, payment_id: str) -> Session | None:
    """The session that a payment was made in."""
    with _stripe(key) as stripe:
        found = stripe.checkout.sessions.list(
            {"payment_intent": payment_id, "expand": [f"data.{_CHARGE}"]}
        )
    return _session(found.data[0]) if found.data else None


def close_session(key: str, session_id: str) -> Session:
    """A session as it is now, closed if it was still open."""
    with _stripe(key) as stripe:
        found = stripe.checkout.sessions.retrieve(session_id, {"expand": [_CHARGE]})
        if found.status == "open":
            found = stripe.checkout.sessions.expire(session_id, {"expand": [_CHARGE]})
    return _session(found)


def failures(key: str, payment_id: str) -> list[Failure]:
    """The declined tries of a payment, whatever became of it since, and a code that ran out."""
    with _stripe(key) as stripe:
        tries = stripe.charges.list({"payment_intent": payment_id, "limit": _PAGE}).data
        intent = stripe.payment_intents.retrieve(payment_id)
    found = [_failure(one) for one in tries if one.status == "failed"]
    last = intent.last_payment_error
    if last is not None and getattr(last, "charge", None) is None:
        ours = _ours(intent.metadata, "checkout_id")
        found.append(Failure(intent.id, ours, last.code or last.type))
    return found


def create_refund(
    key: str, refund_id: UUID, payment_id: str, amount: int, *, product: str, reason: str
) -> Refund:
    """Give money back, once for each refund of ours, however often and late this is called.

    Stripe forgets idempotency keys after a day, so what is there is looked for first.
    """
    for known in refunds_of(key, payment_intent=payment_id):
        if known.refund_id == refund_id:
            return known
    with _stripe(key) as stripe:
        made = stripe.refunds.create(
            {
                "payment_intent": payment_id,
                "amount": amount,
                "reason": reason,
                "metadata": {"refund_id": str(refund_id), "product": product},
            },
            {"idempotency_key": f"refund-{refund_id}"},
        )
    return _refund(made)


def refund(key: str, external_id: str) -> Refund:
    """A refund as it is now."""
    with _stripe(key) as stripe:
        return _refund(stripe.refunds.retrieve(external_id))


def refunds_of(key: str, **of: str) -> list[Refund]:
    """The refunds of a `charge` or a `payment_intent`."""
    with _stripe(key) as stripe:
        return [_refund(one) for one in stripe.refunds.list({**of, "limit": _PAGE}).data]


def dispute(key: str, external_id: str) -> Dispute:
    """A dispute as it is now."""
    with _stripe(key) as stripe:
        return _dispute(stripe.disputes.retrieve(external_id))


def recent(key: str, resource: str, since: datetime, cursor: str | None) -> Slice:
    """A part of Stripe's `sessions`, `refunds`, `disputes` or `events` since, newest first."""
    asked: dict[str, Any] = {
        "created": {"gte": int(since.timestamp())},
        "limit": _PAGE,
    }
    asked |= {"starting_after": cursor} if cursor else {}
    asked |= {"expand": [f"data.{_CHARGE}"]} if resource == "sessions" else {}
    with _stripe(key) as stripe:
        home = stripe.checkout if resource == "sessions" else stripe
        found = getattr(home, resource).list(asked)
    read = _READ[resource]
    items = [read(one) for one in found.data]
    return Slice(items, found.data[-1].id if found.has_more else None)


def _event(found: Any) -> dict[str, Any]:
    """What of an event is needed: the rest is fetched afresh anyway."""
    named = {"object": {"id": getattr(found.data.object, "id", None)}}
    return {"id": found.id, "type": found.type, "livemode": found.livemode, "data": named}


def _session(found: Any) -> Session:
    intent = found.payment_intent
    charge = intent.latest_charge if intent else None
    details = charge.payment_method_details if charge else None
    return Session(
        id=found.id,
        checkout_id=_ours(found.metadata, "checkout_id"),
        paid=found.payment_status == "paid",
        expired=found.status == "expired",
        payment_id=intent.id if intent else None,
        # Whatever else Stripe offers, Link for one, is a card in a wallet.
        method="pix" if details and details.type == "pix" else "card",
        amount=found.amount_total or 0,
        currency=(found.currency or "").upper(),
    )


def _failure(found: Any) -> Failure:
    code = (found.outcome.reason if found.outcome else None) or found.failure_code or "unknown"
    return Failure(found.id, _ours(found.metadata, "checkout_id"), code)


def _refund(found: Any) -> Refund:
    state = _REFUND_STATES.get(found.status, "pending")
    ours = _ours(found.metadata, "refund_id")
    paid = found.payment_intent or found.charge
    return Refund(found.id, ours, paid, found.amount, found.reason or "unspecified", state)


def _dispute(found: Any) -> Dispute:
    state = _DISPUTE_STATES.get(found.status, "open")
    paid = found.payment_intent or found.charge
    return Dispute(found.id, paid, found.amount, found.reason, state)


_READ: dict[str, Callable[[Any], Any]] = {
    "sessions": _session, "refunds": _refund, "disputes": _dispute, "events": _event,
}  # fmt: skip


def _ours(metadata: Any, name: str) -> UUID | None:
    """The row an object of Stripe's is for; None for objects that others made there."""
    try:
        return UUID(metadata[name])
    except (KeyError, TypeError, ValueError):
        return None
