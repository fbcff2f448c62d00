"""The ledger's statements. Each moves credits and writes their transfer at once, or does neither."""

from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    bindparam,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from chalicelib.core.statements import json_object, statement
from chalicelib.kernel.billing.tables import credit_accounts, credit_transfers

NOW = bindparam("now", type_=DateTime(timezone=True))
_WALLET = bindparam("wallet_id", type_=Uuid)
_ISSUER = bindparam("issuer_id", type_=Uuid)
_HOLDER = bindparam("holder_id", type_=Uuid)
_UNIT = bindparam("unit", type_=Text)
_AMOUNT = bindparam("credit_amount", type_=BigInteger)
_TRANSFER_COLUMNS = [
    "id", "unit", "debit_account_id", "credit_account_id", "amount", "reason", "key",
    "payment_id", "created_at",
]  # fmt: skip

# The transfer comes first: where its key is known nothing else happens.
_given = (
    upsert(credit_transfers)
    .from_select(
        _TRANSFER_COLUMNS,
        select(
            bindparam("transfer_id", type_=Uuid), _UNIT, _ISSUER, _WALLET, _AMOUNT,
            bindparam("reason", type_=Text), bindparam("key", type_=Text),
            bindparam("payment_id", type_=Uuid), NOW,
        ),
    )
    .on_conflict_do_nothing(index_elements=[credit_transfers.c.key])
    .returning(credit_transfers.c.amount)
    .cte("given")
)  # fmt: skip
_wallet = upsert(credit_accounts)
GRANT = statement(
    _wallet.from_select(
        ["id", "holder_kind", "holder_id", "unit", "kind", "balance", "created_at"],
        select(_WALLET, literal("user"), _HOLDER, _UNIT, literal("wallet"), _given.c.amount, NOW),
    )
    .on_conflict_do_update(
        index_elements=[credit_accounts.c.id],
        set_={"balance": credit_accounts.c.balance + _wallet.excluded.balance},
    )
    .returning(credit_accounts.c.balance)
)


class Spending(NamedTuple):
    """Parts of a statement that spends: `spent` has a row only if the credits were taken."""

    spent: CTE
    moved: CTE


def spending(condition: ColumnElement[bool]) -> Spending:
    """Take `credit_amount` from the wallet if `condition` holds and the balance suffices.

    For a larger statement, which has to carry both parts (`add_cte(moved)`) and go by `spent`.
    A wallet in debt does not spend.
    """
    debt = credit_accounts.alias("debt")
    in_debt = (
        select(literal(1))
        .where(debt.c.id == bindparam("debt_id", type_=Uuid), debt.c.balance > 0)
        .exists()
    )
    spent = (
        update(credit_accounts)
        .where(
            credit_accounts.c.id == _WALLET,
            credit_accounts.c.balance >= _AMOUNT,
            ~in_debt,
            condition,
        )
        .values(balance=credit_accounts.c.balance - _AMOUNT)
        .returning(credit_accounts.c.id)
        .cte("spent")
    )
    moved = (
        insert(credit_transfers)
        .from_select(
            _TRANSFER_COLUMNS,
            select(
                bindparam("transfer_id", type_=Uuid), _UNIT, spent.c.id, _ISSUER, _AMOUNT,
                literal("spend"), bindparam("key", type_=Text), null(), NOW,
            ),
        )
        .returning(credit_transfers.c.id)
        .cte("moved")
    )  # fmt: skip
    return Spending(spent, moved)


def _moved_by(column: ColumnElement[Any]) -> ColumnElement[int]:
    moved = select(func.coalesce(func.sum(credit_transfers.c.amount), 0)).where(column == _WALLET)
    return moved.scalar_subquery()


BALANCE = json_object(
    select(
        _UNIT.label("unit"),
        _moved_by(credit_transfers.c.credit_account_id).label("total"),
        _moved_by(credit_transfers.c.debit_account_id).label("used"),
        func.coalesce(
            select(credit_accounts.c.balance)
            .where(credit_accounts.c.id == _WALLET)
            .scalar_subquery(),
            0,
        ).label("remaining"),
    )
)
