"""Buying: a checkout is opened, paid on the provider's page, and fulfilled by its payment's event."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core import clock, ids, log, outbox
from chalicelib.core.auth import Caller
from chalicelib.core.db import Again, Connection, Transactions
from chalicelib.core.errors import (
    FieldProblem,
    IdempotencyKeyReused,
    NotFound,
    Unavailable,
    ValidationFailed,
)
from chalicelib.core.statements import Json
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts import queries
from chalicelib.kernel.billing.checkouts.errors import PaidTwice, WrongAmount
from chalicelib.kernel.billing.errors import PriceNotFound
from chalicelib.kernel.billing.events import CheckoutPaid
from chalicelib.kernel.billing.gateways import service as gateways
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.kernel.billing.payments import queries as payments
from chalicelib.kernel.billing.schemas import Checkout, CheckoutCreate

CHECKOUT_LIFE = timedelta(minutes=31)
"""Half an hour, and a minute because Stripe takes nothing shorter than thirty."""

CLOSE_WITHIN = timedelta(days=2)

has_paid = payments.has_paid
"""A Core clause: whether a user paid for something of a kind since a time, and the payment stands."""


class PaidCheckout(NamedTuple):
    """What was bought, by whom and for what. `stands`: not refunded or disputed meanwhile."""

    user_id: UUID
    product: str
    purpose: str
    subject_id: UUID | None
    payment_id: UUID
    paid_at: datetime
    stands: bool


class Opened(NamedTuple):
    """A checkout that waits for its page."""

    id: UUID
    product: str
    state: str
    currency: str
    external_id: str | None
    url: str | None
    expires_at: datetime
    gateway_id: UUID | None
    secret: bytes | None
    purpose: str
    subject_id: UUID | None


def buy(
    transactions: Transactions, caller: Caller, attempt: str, data: CheckoutCreate
) -> Json[Checkout]:
    """Open a checkout and its page; PriceNotFound, or Unavailable while payments are.

    A price that is bought for something takes one, with its `subject_id`; what that is only whoever
    sells it knows, and hands it over when it hears of CheckoutPaid (see `paid_checkout`).
    The row comes first and names the provider's attempt, so one that was cut off is taken up by
    the client's repetition, and one nobody repeats expires. It remembers the attempt for ever:
    IdempotencyKeyReused for something else under its name.
    """
    opened, lines = transactions.write(_open, caller, attempt, data)
    if opened.external_id is None and opened.state == "open":
        external_id, url = _page(transactions, opened, lines)
        transactions.write(_attach, opened.id, external_id, url)
    return transactions.read(checkout, caller, opened.id)


def _open(
    db: Connection, caller: Caller, attempt: str, data: CheckoutCreate
) -> tuple[Opened, list[gateway.Line]]:
    now = clock.now()
    row = db.one(
        queries.OPEN,
        checkout_id=ids.uuid7(),
        line_id=ids.uuid7(),
        user_id=caller.id,
        attempt=attempt,
        product=data.product,
        code=data.code,
        quantity=data.quantity,
        subject_id=data.subject_id,
        expires_at=now + CHECKOUT_LIFE,
        now=now,
    )
    if row is None:
        raise _refusal(db, data)
    opened = Opened(*row)
    lines = db.all(queries.LINES, checkout_id=opened.id)
    bought = (opened.product, opened.purpose, lines[0][2], opened.subject_id)
    if bought != (data.product, data.code, data.quantity, data.subject_id):
        raise IdempotencyKeyReused
    return opened, [gateway.Line(*line[1:4], opened.currency) for line in lines]


def _refusal(db: Connection, data: CheckoutCreate) -> Exception:
    row = db.one(queries.TAKES_SUBJECT, product=data.product, code=data.code)
    if row is None:
        return PriceNotFound()
    if row[0] and data.subject_id is not None:
        problem = FieldProblem("body.quantity", "one", "bought for something, it is bought once")
    elif row[0]:
        problem = FieldProblem("body.subject_id", "missing", "what is it bought for?")
    else:
        problem = FieldProblem("body.subject_id", "unexpected", "it is not bought for anything")
    return ValidationFailed(problems=(problem,))


def _page(transactions: Transactions, opened: Opened, lines: list[gateway.Line]) -> tuple[str, str]:
    """The page of a checkout. One taken up late is prolonged first: pages are half an hour long."""
    key = gateways.key_of(opened.gateway_id, opened.secret)
    try:
        return gateway.create_session(key, opened.id, opened.product, lines, opened.expires_at)
    except gateway.Refused:
        later = transactions.write(_prolong, opened)
    try:
        return gateway.create_session(key, opened.id, opened.product, lines, later)
    except gateway.Refused as error:
        raise Unavailable("this can't be paid at the moment") from error


def _prolong(db: Connection, opened: Opened) -> datetime:
    now = clock.now()
    db.run(
        queries.PROLONG,
        checkout_id=opened.id,
        told_expiry=opened.expires_at,
        later=now + CHECKOUT_LIFE,
        now=now,
    )
    row = db.one(queries.EXPIRY, checkout_id=opened.id)
    return row[0] if row else opened.expires_at


def _attach(db: Connection, checkout_id: UUID, external_id: str, url: str) -> None:
    db.later(
        queries.ATTACH,
        checkout_id=checkout_id,
        told_id=external_id,
        told_url=url,
        now=clock.now(),
    )


def checkout(db: Connection, caller: Caller, checkout_id: UUID) -> Json[Checkout]:
    """One of the caller's checkouts; NotFound otherwise."""
    found = db.json(queries.CHECKOUT, checkout_id=checkout_id, user_id=caller.id)
    if found is None:
        raise NotFound
    return found


def paid_checkout(db: Connection, checkout_id: UUID) -> PaidCheckout | None:
    """What was paid for with a checkout, for whoever hands it over; None if it is not paid.

    In a transaction the payment is held until its end: a refund at the same moment waits, and is
    told (PaymentRefunded) once what was handed over is there to be taken back. Where `stands` is
    false the refund or dispute came first, and nothing is to be handed over.
    """
    row = db.one(queries.PAID, checkout_id=checkout_id)
    return PaidCheckout(*row) if row else None


def apply_session(db: Connection, session: gateway.Session) -> bool:
    """Bring our checkout to where the provider's is; whether it is one of ours.

    Whatever events came before, in whatever order, the outcome is the same: paid stays paid.
    WrongAmount when the provider took another amount than was asked, PaidTwice when another
    payment came before.
    """
    if session.checkout_id is None:
        return False
    offered = db.one(queries.OFFERED, checkout_id=session.checkout_id)
    if offered is None:
        return False
    if session.paid:
        product, amount, currency, _ = offered
        paid_by: str | None = offered[-1]
        named = session.payment_id or session.id
        if paid_by is not None and paid_by != named:
            raise PaidTwice(session.checkout_id, product, named, session.amount)
        if (amount, currency) != (session.amount, session.currency):
            raise WrongAmount
        if paid_by is None:
            _pay(db, session.checkout_id, session)
    elif session.expired:
        given = {"checkout_id": session.checkout_id, "session_id": session.id, "now": clock.now()}
        db.run(queries.EXPIRE, **given)
    return True


def _pay(db: Connection, checkout_id: UUID, session: gateway.Session) -> None:
    payment_id = ids.uuid7()
    row = db.one(
        queries.PAY,
        checkout_id=checkout_id,
        payment_id=payment_id,
        session_id=session.id,
        external_id=session.payment_id or session.id,
        method=session.method,
        paid_amount=session.amount,
        paid_currency=session.currency,
        now=clock.now(),
    )
    if row is None:
        raise Again
    for line in db.all(queries.LINES, checkout_id=checkout_id):
        line_id, _, quantity, _, unit, amount = line
        if unit is not None and amount is not None:
            key = f"checkout_line:{line_id}"
            ledger.grant(
                db,
                row[0],
                unit,
                amount * quantity,
                key=key,
                reason="purchase",
                payment_id=payment_id,
            )
    outbox.publish(db, CheckoutPaid(checkout_id))


def record_failure(db: Connection, failed: gateway.Failure) -> bool:
    """Keep a declined try; whether it is of one of our checkouts."""
    if failed.checkout_id is None:
        return False
    db.run(
        queries.FAILED,
        failure_id=ids.uuid7(),
        checkout_id=failed.checkout_id,
        external_id=failed.id,
        failure_code=failed.code,
        now=clock.now(),
    )
    return True


def expire_due(db: Connection, now: datetime) -> int:
    """Close a batch of checkouts whose time is over; how many."""
    return db.run(queries.EXPIRE_DUE, now=now)


def close_expired(transactions: Transactions, now: datetime) -> int:
    """Close the pages of a batch of expired checkouts at the provider; how many were settled.

    One that turns out to be paid is honoured: the webhook that should have told so was lost.
    """
    waiting = transactions.read(_to_close, now)
    return sum(_close(transactions, *one) for one in waiting)


def _to_close(db: Connection, now: datetime) -> list[tuple[Any, ...]]:
    return [*db.all(queries.TO_CLOSE, since=now - CLOSE_WITHIN)]


def _close(
    transactions: Transactions,
    checkout_id: UUID,
    external_id: str,
    gateway_id: UUID | None,
    secret: bytes | None,
) -> bool:
    try:
        session = gateway.close_session(gateways.key_of(gateway_id, secret), external_id)
        transactions.write(_closed, checkout_id, session)
    except Exception as error:  # noqa: BLE001  the others are closed; this one is tried again
        log.line("close_failed", checkout_id=str(checkout_id), error=log.frames(error))
        return False
    return session.paid or session.expired


def _closed(db: Connection, checkout_id: UUID, session: gateway.Session) -> None:
    if session.paid:
        apply_session(db, session)
    elif session.expired:
        db.run(queries.CLOSED, checkout_id=checkout_id, now=clock.now())
