"""Refunds: ordered by staff or at the provider; what the payment granted goes back with the money.

An order is a row first, then a call that names the row, then what the provider made of it; one
that was cut off in between is finished by a job.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid5

from chalicelib.core import audit, clock, db, ids, log, outbox
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import IdempotencyKeyReused, NotFound
from chalicelib.core.statements import Json
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts.errors import OperatorNeeded, PaidTwice
from chalicelib.kernel.billing.errors import RefundRefused, RefundTooLarge
from chalicelib.kernel.billing.events import PaymentRefunded, PaymentRestored
from chalicelib.kernel.billing.gateways import service as gateways
from chalicelib.kernel.billing.payments.schemas import Refund
from chalicelib.kernel.billing.refunds import queries
from chalicelib.kernel.billing.refunds.schemas import RefundCreate
from chalicelib.kernel.billing.reversals import service as reversals

FINISH_AFTER = timedelta(minutes=2)

_ORDER = ("ordered", "pending", "succeeded", "failed")
"""A refund's states: it only goes on, whatever is told late. A failed one may have succeeded first."""
_IN_FORCE = ("pending", "succeeded")


_SECOND_PAYMENTS = UUID("5c0e7a90-9d35-4f0e-8a57-6f2c1b7d4e21")
_BACK_ALREADY = "charge_already_refunded"


class NotReturned(OperatorNeeded):
    """The provider does not give a second payment back."""


class Wanted(NamedTuple):
    """What staff want to give back, and the name of their attempt."""

    product: str
    payment_id: UUID
    attempt: str
    data: RefundCreate


class Order(NamedTuple):
    """A refund on its way to the provider."""

    refund_id: UUID
    amount: int
    reason: str
    state: str
    product: str
    payment_id: str
    gateway_id: UUID | None
    secret: bytes | None


def refund(transactions: Transactions, caller: Caller, wanted: Wanted) -> Json[Refund]:
    """Give a payment back, whole or in part.

    NotFound, RefundTooLarge, RefundRefused; Unavailable while the provider can't be reached, and
    then the refund is finished by the repeated attempt or by the job. The row remembers the attempt
    for ever: IdempotencyKeyReused for another refund under its name.
    """
    order = transactions.write(_order, caller, wanted)
    if order.state == "ordered":
        _carry_out(transactions, order)
    elif order.state == "failed":
        raise RefundRefused
    return transactions.read(_shown, order.refund_id)


def _order(unit: Connection, caller: Caller, wanted: Wanted) -> Order:
    payment = reversals.hold_of_product(unit, wanted.product, wanted.payment_id)
    if payment is None:
        raise NotFound
    at = (wanted.product, payment.external_id, payment.gateway_id, payment.secret)
    known = unit.one(queries.BY_ATTEMPT, actor_id=caller.id, attempt=wanted.attempt)
    if known is not None:
        known_payment, _, known_amount, known_reason, _ = known
        asked = (payment.id, wanted.data.amount or known_amount, wanted.data.reason)
        if asked != (known_payment, known_amount, known_reason):
            raise IdempotencyKeyReused
        return Order(*known[1:], *at)
    left = payment.amount - reversals.returned(unit, payment.id).ordered
    refund_id, now, amount = ids.uuid7(), clock.now(), wanted.data.amount or left
    if not left:
        raise RefundTooLarge
    with db.refused(db.CHECK_VIOLATION, "refunds_within_payment", RefundTooLarge()):
        unit.run(
            queries.ADD,
            id=refund_id,
            payment_id=payment.id,
            amount=amount,
            reason=wanted.data.reason,
            state="ordered",
            actor_id=caller.id,
            attempt=wanted.attempt,
            external_id=None,
            created_at=now,
            updated_at=now,
        )
    subject = f"billing.payments:{payment.id}"
    audit.record(
        unit,
        caller.id,
        "billing.refund",
        subject,
        {"refund_id": str(refund_id), "amount": amount, "reason": wanted.data.reason},
    )
    return Order(refund_id, amount, wanted.data.reason, "ordered", *at)


def _carry_out(transactions: Transactions, order: Order) -> None:
    key = gateways.key_of(order.gateway_id, order.secret)
    try:
        told = gateway.create_refund(
            key,
            order.refund_id,
            order.payment_id,
            order.amount,
            product=order.product,
            reason=order.reason,
        )
    except gateway.Refused as error:
        transactions.write(_refused, order.refund_id)
        raise RefundRefused from error
    transactions.write(apply_refund, told)


def _refused(unit: Connection, refund_id: UUID) -> None:
    unit.run(queries.REFUSED, refund_id=refund_id, now=clock.now())


def _shown(unit: Connection, refund_id: UUID) -> Json[Refund]:
    found = unit.json(queries.SHOWN, refund_id=refund_id)
    if found is None:
        raise NotFound
    return found


def apply_refund(unit: Connection, told: gateway.Refund) -> bool:
    """Bring our refund to where the provider's is, and what it paid for with it.

    PaymentUnknown where the payment has no row of ours.
    """
    payment = reversals.hold(unit, told.payment_id)
    known = unit.one(
        queries.KNOWN, payment_id=payment.id, told_id=told.id, refund_id=told.refund_id
    )
    refund_id, state = known or (ids.uuid7(), None)
    if state is not None and _ORDER.index(told.state) <= _ORDER.index(state):
        return True
    if known is None:
        _add(unit, payment.id, refund_id, told)
    else:
        unit.run(
            queries.ADVANCE,
            refund_id=refund_id,
            told_id=told.id,
            new_state=told.state,
            now=clock.now(),
        )
    if (state in _IN_FORCE) != (told.state in _IN_FORCE):
        reversals.settle(unit, payment, refund_id)
        event = PaymentRefunded if told.state in _IN_FORCE else PaymentRestored
        outbox.publish(unit, event(payment.id, payment.checkout_id))
    return True


def _add(unit: Connection, payment_id: UUID, refund_id: UUID, told: gateway.Refund) -> None:
    now = clock.now()
    unit.run(
        queries.ADD,
        id=refund_id,
        payment_id=payment_id,
        amount=told.amount,
        reason=told.reason,
        state=told.state,
        actor_id=None,
        attempt=None,
        external_id=told.id,
        created_at=now,
        updated_at=now,
    )


def return_second(transactions: Transactions, key: str, twice: PaidTwice) -> None:
    """Give a second payment of one checkout back, once however often this is called.

    Nothing was handed over for it, so it has no row: its refund is named after it, and whether
    there is one the provider knows. NotReturned if it refuses or the refund fails.
    """
    refund_id = uuid5(_SECOND_PAYMENTS, twice.payment_id)
    found = gateway.refunds_of(key, payment_intent=twice.payment_id)
    told = next((one for one in found if one.refund_id == refund_id), None)
    if told is None:
        transactions.write(_note_second, refund_id, twice)
        told = _give_back(key, refund_id, twice)
    if told is not None and told.state == "failed":
        raise NotReturned


def _note_second(unit: Connection, refund_id: UUID, twice: PaidTwice) -> None:
    subject = f"billing.checkouts:{twice.checkout_id}"
    audit.record(
        unit,
        None,
        "billing.refund_second_payment",
        subject,
        {"refund_id": str(refund_id), "payment": twice.payment_id, "amount": twice.amount},
    )


def _give_back(key: str, refund_id: UUID, twice: PaidTwice) -> gateway.Refund | None:
    try:
        return gateway.create_refund(
            key,
            refund_id,
            twice.payment_id,
            twice.amount,
            product=twice.product,
            reason="duplicate",
        )
    except gateway.Refused as error:
        if error.args == (_BACK_ALREADY,):
            return None
        raise NotReturned from error


def finish(transactions: Transactions, now: datetime) -> int:
    """Carry out the refunds that were cut off on their way to the provider; how many."""
    return sum(_finished(transactions, one) for one in transactions.read(_unfinished, now))


def _unfinished(unit: Connection, now: datetime) -> list[Order]:
    return [Order(*row) for row in unit.all(queries.UNFINISHED, before=now - FINISH_AFTER)]


def _finished(transactions: Transactions, order: Order) -> bool:
    try:
        _carry_out(transactions, order)
    except RefundRefused:
        return True
    except Exception as error:  # noqa: BLE001  the others are finished; this one is tried again
        log.line("refund_failed", refund_id=str(order.refund_id), error=log.frames(error))
        return False
    return True
