"""Buying: a checkout is opened, paid on the provider's page, and fulfilled by its payment's event."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from chalicelib.core import clock, ids, outbox, paging
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts import queries
from chalicelib.kernel.billing.errors import PriceNotFound
from chalicelib.kernel.billing.events import CheckoutPaid
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.kernel.billing.schemas import Checkout, CheckoutCreate, Payment, Price, PriceQuery

CHECKOUT_LIFE = timedelta(minutes=31)
"""Half an hour, and a minute because Stripe takes nothing shorter than thirty."""

has_paid = queries.has_paid
"""A Core clause: whether a user paid for something of a kind since a time."""


class WrongAmount(Exception):
    """The provider took another amount than was asked: an operator has to look."""


class Opened(NamedTuple):
    """A checkout that waits for its page."""

    id: UUID
    product: str
    amount: int
    currency: str
    external_id: str | None
    url: str | None
    expires_at: datetime


def prices(db: Connection, query: PriceQuery) -> Json[Page[Price]]:
    """What a product sells."""
    return paging.page(db, queries.PRICES, query, product=query.product)


def buy(
    transactions: Transactions, caller: Caller, attempt: str, data: CheckoutCreate
) -> Json[Checkout]:
    """Open a checkout and its page; PriceNotFound, or Unavailable while payments are.

    The row comes first and names the provider's attempt, so one that was cut off is taken up by
    the client's repetition, and one nobody repeats expires.
    """
    opened, lines = transactions.write(_open, caller, attempt, data)
    if opened.external_id is None:
        external_id, url = gateway.create_session(
            opened.id, opened.product, lines, opened.expires_at
        )
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
        expires_at=now + CHECKOUT_LIFE,
        now=now,
    )
    if row is None:
        raise PriceNotFound
    opened = Opened(*row)
    lines = db.all(queries.LINES, checkout_id=opened.id)
    return opened, [gateway.Line(*line[1:4], opened.currency) for line in lines]


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


def payments(db: Connection, caller: Caller, query: PageQuery) -> Json[Page[Payment]]:
    """What the caller paid, newest first."""
    return paging.page(db, queries.PAYMENTS, query, user_id=caller.id)


def apply_session(db: Connection, session: gateway.Session) -> bool:
    """Bring our checkout to where the provider's is; whether it is one of ours.

    Whatever events came before, in whatever order, the outcome is the same: paid stays paid.
    WrongAmount when the provider took another amount than was asked.
    """
    if session.checkout_id is None:
        return False
    offered = db.one(queries.OFFERED, checkout_id=session.checkout_id)
    if offered is None:
        return False
    if session.paid:
        state, amount, currency = offered
        if (amount, currency) != (session.amount, session.currency):
            raise WrongAmount
        if state != "paid":
            _pay(db, session.checkout_id, session)
    elif session.expired:
        db.run(queries.EXPIRE, checkout_id=session.checkout_id, now=clock.now())
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
        return
    for line in db.all(queries.LINES, checkout_id=checkout_id):
        line_id, _, quantity, _, unit, amount = line
        if unit is not None and amount is not None:
            key = f"checkout_line:{line_id}"
            ledger.grant(db, row[0], unit, amount * quantity, key=key, payment_id=payment_id)
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
