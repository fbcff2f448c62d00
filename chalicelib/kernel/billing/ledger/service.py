"""Credits: accounts, transfers between them, and balances that the database keeps from sinking.

An account's id follows from who holds what, so no statement has to look it up first. Whatever
reaches a wallet repays what its holder owes first, so nobody has credits and a debt at once.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from chalicelib.core import audit, clock, ids, paging
from chalicelib.core.auth import Caller
from chalicelib.core.db import UNIQUE_VIOLATION, Again, Connection, refused
from chalicelib.core.errors import IdempotencyKeyReused, NotFound
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.ledger import queries
from chalicelib.kernel.billing.schemas import (
    CreditGrant,
    Credits,
    CreditTransfer,
    CreditTransferQuery,
    CreditUnit,
)

_ACCOUNTS = UUID("0b7d3a52-6c1e-4d53-9d6c-7a3f0f1f2a11")

Spending = queries.Spending
spending = queries.spending
"""Core parts of a statement that spends; see `spend_parameters`."""


class Purchase(NamedTuple):
    """Credits that a payment bought, and how many of them are taken back at present."""

    transfer_id: UUID
    holder: UUID
    unit: str
    amount: int
    taken_back: int


def account_id(kind: str, unit: str, holder: UUID | None = None) -> UUID:
    """The id of an account: of a user's wallet or debt, or of a unit's issuer."""
    return uuid5(_ACCOUNTS, f"{kind}:{unit}:{holder or ''}")


def spend_parameters(
    holder: UUID, unit: CreditUnit, amount: int, *, key: str, now: datetime
) -> dict[str, Any]:
    """The parameters of `spending`: `key` names what is bought, once."""
    return {
        "wallet_id": account_id("wallet", unit, holder),
        "debt_id": account_id("debt", unit, holder),
        "issuer_id": account_id("issuer", unit),
        "transfer_id": ids.uuid7(),
        "unit": unit,
        "credit_amount": amount,
        "key": key,
        "now": now,
    }


def grant(
    db: Connection,
    holder: UUID,
    unit: str,
    amount: int,
    *,
    key: str,
    reason: str = "grant",
    payment_id: UUID | None = None,
    actor_id: UUID | None = None,
) -> bool:
    """Credits for somebody, once for each key; whether it was the first time.

    `reason` is `purchase` for what a payment bought and `grant` for what was given.
    """
    hands = _hold(db, holder, unit)
    return hands.receive(amount, reason, key, payment_id=payment_id, actor_id=actor_id)


def give_back(db: Connection, transfer_id: UUID, *, key: str) -> bool:
    """Return what a spend took, once, whoever asks and under whichever key; whether it did.

    False as well where there is no such spend.
    """
    row = db.one(queries.SPEND, transfer_id=transfer_id)
    if row is None:
        return False
    unit, amount, holder = row
    return _hold(db, holder, unit).receive(amount, "give_back", key, reverses=transfer_id)


def purchases(db: Connection, payment_id: UUID) -> list[Purchase]:
    """What a payment bought. Hold the payment, and nobody else takes back what it bought."""
    return [Purchase(*row) for row in db.all(queries.PURCHASES, payment_id=payment_id)]


def take_back(
    db: Connection, purchase: Purchase, amount: int, *, key: str, payment_id: UUID
) -> None:
    """Take back credits that were bought; what is spent already becomes a debt."""
    hands = _hold(db, purchase.holder, purchase.unit)
    missing = amount - hands.wallet
    if missing > 0:
        hands.move("debt", "wallet", missing, "debt", f"{key}:debt", payment_id=payment_id)
    hands.move(
        "wallet",
        "issuer",
        amount,
        "take_back",
        key,
        payment_id=payment_id,
        reverses=purchase.transfer_id,
    )


def restore(db: Connection, purchase: Purchase, amount: int, *, key: str, payment_id: UUID) -> None:
    """Give back credits that were taken back, the last taken first."""
    hands = _hold(db, purchase.holder, purchase.unit)
    for taken_id, left in db.all(queries.TAKEN_BACK, transfer_id=purchase.transfer_id):
        part = min(left, amount)
        amount -= part
        if part:
            each = f"{key}:{taken_id}"
            hands.receive(part, "restore", each, payment_id=payment_id, reverses=taken_id)


class _Hands:
    """The accounts of one holder, held until the transaction ends."""

    def __init__(self, db: Connection, holder: UUID, unit: str, *, wallet: int, debt: int) -> None:
        self._db, self._holder, self._unit = db, holder, unit
        self.wallet, self.debt = wallet, debt

    def receive(self, amount: int, reason: str, key: str, **told: UUID | None) -> bool:
        """Put new credits into the wallet and repay what is owed; whether the key was new."""
        if not self.move("issuer", "wallet", amount, reason, key, **told):
            return False
        repaid = min(amount, self.debt)
        if repaid:
            self.debt -= repaid
            told = {"payment_id": told.get("payment_id")}
            self.move("wallet", "debt", repaid, "repayment", f"{key}:repayment", **told)
        return True

    def move(
        self,
        source: str,
        target: str,
        amount: int,
        reason: str,
        key: str,
        *,
        payment_id: UUID | None = None,
        reverses: UUID | None = None,
        actor_id: UUID | None = None,
    ) -> bool:
        """One transfer between the holder's accounts and the issuer; whether it was new."""
        moved = self._db.all(
            queries.MOVE,
            transfer_id=ids.uuid7(),
            unit=self._unit,
            from_id=self._id_of(source),
            to_id=self._id_of(target),
            credit_amount=amount,
            reason=reason,
            key=key,
            payment_id=payment_id,
            reverses=reverses,
            actor_id=actor_id,
            now=clock.now(),
        )
        return bool(moved)

    def _id_of(self, kind: str) -> UUID:
        return account_id(kind, self._unit, None if kind == "issuer" else self._holder)


def _hold(db: Connection, holder: UUID, unit: str) -> _Hands:
    # Of two that make somebody's first accounts at once, one may fail on the index that does not
    # arbitrate; when it is done again they are there.
    with refused(UNIQUE_VIOLATION, "credit_accounts_holder", Again()):
        held = db.all(
            queries.HOLD,
            wallet_id=account_id("wallet", unit, holder),
            debt_id=account_id("debt", unit, holder),
            holder_id=holder,
            unit=unit,
            now=clock.now(),
        )
    return _Hands(db, holder, unit, **dict(held))


def credits_of(db: Connection, holder: UUID, unit: CreditUnit) -> Json[Credits]:
    """A user's balance, with what came in and went out."""
    found = db.json(
        queries.BALANCE,
        wallet_id=account_id("wallet", unit, holder),
        debt_id=account_id("debt", unit, holder),
        unit=unit,
    )
    if found is None:
        raise RuntimeError("a select of scalars returned no row")
    return found


def transfers_of(
    db: Connection, holder: UUID, query: CreditTransferQuery
) -> Json[Page[CreditTransfer]]:
    """What moved in a user's wallet, newest first."""
    wallet = account_id("wallet", query.unit, holder)
    return paging.page(db, queries.TRANSFERS, query, wallet_id=wallet)


def grant_by_staff(
    db: Connection, caller: Caller, product: str, attempt: str, data: CreditGrant
) -> Json[CreditTransfer]:
    """Credits that staff give; NotFound for somebody who is not there (any more).

    The transfer remembers the attempt for ever: IdempotencyKeyReused for another grant under its
    name, long after its answer was forgotten.
    """
    if db.one(queries.IS_THERE, holder_id=data.user_id) != (True,):
        raise NotFound
    key = f"grant:{caller.id}:{attempt}"
    is_new = grant(db, data.user_id, data.unit, data.amount, key=key, actor_id=caller.id)
    granted = db.json(
        queries.GRANTED,
        key=key,
        wallet_id=account_id("wallet", data.unit, data.user_id),
        credit_amount=data.amount,
    )
    if granted is None:
        raise IdempotencyKeyReused
    if is_new:
        audit.record(
            db,
            caller.id,
            "billing.grant_credits",
            f"accounts.users:{data.user_id}",
            {"product": product, "unit": data.unit, "amount": data.amount},
        )
    return granted
