"""Credits: accounts, transfers between them, and balances that the database keeps from sinking.

An account's id follows from who holds what, so no statement has to look it up first.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from chalicelib.core import clock, ids
from chalicelib.core.db import Connection
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.ledger import queries
from chalicelib.kernel.billing.schemas import Credits, CreditUnit

_ACCOUNTS = UUID("0b7d3a52-6c1e-4d53-9d6c-7a3f0f1f2a11")

Spending = queries.Spending
spending = queries.spending
"""Core parts of a statement that spends; see `spend_parameters`."""


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
    db: Connection, holder: UUID, unit: str, amount: int, *, key: str, payment_id: UUID | None
) -> bool:
    """Credits that were paid for, once for each key; whether it was the first time."""
    row = db.one(
        queries.GRANT,
        wallet_id=account_id("wallet", unit, holder),
        issuer_id=account_id("issuer", unit),
        transfer_id=ids.uuid7(),
        holder_id=holder,
        unit=unit,
        credit_amount=amount,
        reason="purchase",
        key=key,
        payment_id=payment_id,
        now=clock.now(),
    )
    return row is not None


def credits_of(db: Connection, holder: UUID, unit: CreditUnit) -> Json[Credits]:
    """A user's balance, with what came in and went out."""
    found = db.json(queries.BALANCE, wallet_id=account_id("wallet", unit, holder), unit=unit)
    if found is None:
        raise RuntimeError("a select of scalars returned no row")
    return found
