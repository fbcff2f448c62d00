"""Taking back what a payment granted, as far as its money went back.

What has to be taken back is worked out from the refunds and disputes as they stand, and compared
with what is taken back already, while the payment is held. So it does not matter in which order
they became known, or how often. Credits are taken back in proportion, rounded in the buyer's favour.
"""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from chalicelib.core.db import Connection, Transactions
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts import service as checkouts
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.kernel.billing.reversals import queries


class PaymentUnknown(Exception):
    """The provider tells of a payment we have no row of: somebody else's, or not told of yet."""

    def __init__(self, external_id: str) -> None:
        super().__init__("a payment without a row")
        self.external_id = external_id


class HeldPayment(NamedTuple):
    """A payment that nobody else refunds or disputes until the transaction ends."""

    id: UUID
    checkout_id: UUID
    product: str
    amount: int
    state: str
    external_id: str
    gateway_id: UUID | None
    secret: bytes | None


class Returned(NamedTuple):
    """How much of a payment went back: by refunds, by disputes, and with refunds just ordered."""

    refunded: int
    disputed: int
    ordered: int


def hold(db: Connection, external_id: str) -> HeldPayment:
    """The payment of this name at the provider, held; PaymentUnknown."""
    row = db.one(queries.HOLD, external_id=external_id)
    if row is None:
        raise PaymentUnknown(external_id)
    return HeldPayment(*row)


def hold_of_product(db: Connection, product: str, payment_id: UUID) -> HeldPayment | None:
    """One of a product's payments, held."""
    row = db.one(queries.HOLD_OF_PRODUCT, product=product, payment_id=payment_id)
    return HeldPayment(*row) if row else None


def returned(db: Connection, payment_id: UUID) -> Returned:
    """How much of a payment went back."""
    row = db.one(queries.RETURNED, payment_id=payment_id)
    if row is None:
        raise RuntimeError("a select of scalars returned no row")
    return Returned(*row)


def settle(db: Connection, payment: HeldPayment, cause: UUID) -> None:
    """Bring a payment's state and its credits to where its refunds and disputes put them.

    `cause` is the refund or dispute that changed, once for each change; it names the transfers.
    """
    back = returned(db, payment.id)
    state = _state(payment, back)
    if state != payment.state:
        db.run(queries.SET_STATE, payment_id=payment.id, new_state=state)
    gone = min(payment.amount, back.refunded + back.disputed)
    for purchase in ledger.purchases(db, payment.id):
        missing = purchase.amount * gone // payment.amount - purchase.taken_back
        name = f"{cause}:{purchase.transfer_id}"
        if missing > 0:
            key = f"take_back:{name}"
            ledger.take_back(db, purchase, missing, key=key, payment_id=payment.id)
        elif missing < 0:
            key = f"restore:{name}"
            ledger.restore(db, purchase, -missing, key=key, payment_id=payment.id)


def _state(payment: HeldPayment, back: Returned) -> str:
    if back.disputed:
        return "disputed"
    if back.refunded >= payment.amount:
        return "refunded"
    return "partially_refunded" if back.refunded else "succeeded"


def apply(transactions: Transactions, key: str, effect: Callable[[Connection], object]) -> bool:
    """Do what follows from a refund or dispute; whether it is about something we sold.

    One may be told of before the payment itself: that is fetched and applied first.
    """
    try:
        transactions.write(effect)
    except PaymentUnknown as unknown:
        session = gateway.session_of(key, unknown.external_id)
        if session is None or not transactions.write(checkouts.apply_session, session):
            return False
        transactions.write(effect)
    return True
