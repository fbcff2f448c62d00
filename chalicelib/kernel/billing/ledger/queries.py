"""The ledger's statements. Each moves credits and writes their transfer at once, or does neither.

Whatever depends on a balance first holds the wallet (HOLD), so that nobody spends meanwhile; a
spend is one statement whose own condition is the balance.
"""

from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    union_all,
    update,
    values,
)
from sqlalchemy import column as named
from sqlalchemy.dialects.postgresql import insert as upsert

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import json_object, statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.billing.ledger.tables import credit_accounts, credit_transfers

NOW = bindparam("now", type_=DateTime(timezone=True))
_WALLET = bindparam("wallet_id", type_=Uuid)
_DEBT = bindparam("debt_id", type_=Uuid)
_ISSUER = bindparam("issuer_id", type_=Uuid)
_HOLDER = bindparam("holder_id", type_=Uuid)
_UNIT = bindparam("unit", type_=Text)
_AMOUNT = bindparam("credit_amount", type_=BigInteger)
_PAYMENT = bindparam("payment_id", type_=Uuid)
_TRANSFER = bindparam("transfer_id", type_=Uuid)

# Both accounts of a holder, made if they are not there, and held until the transaction ends: what
# is returned is what they hold now. Always in this order, so that two can't wait for each other.
_accounts = values(named("id", Uuid), named("kind", Text), name="accounts").data(
    [(_WALLET, literal("wallet")), (_DEBT, literal("debt"))]
)
HOLD = statement(
    upsert(credit_accounts)
    .from_select(
        ["id", "holder_kind", "holder_id", "unit", "kind", "balance", "created_at"],
        select(
            _accounts.c.id, literal("user"), _HOLDER, _UNIT, _accounts.c.kind, literal(0), NOW
        ).order_by(_accounts.c.kind.desc()),
    )
    .on_conflict_do_update(
        index_elements=[credit_accounts.c.id], set_={"balance": credit_accounts.c.balance}
    )
    .returning(credit_accounts.c.kind, credit_accounts.c.balance)
)

# Where the transfer is known already, nothing happens and no row is returned.
_moved = (
    upsert(credit_transfers)
    .values(
        id=_TRANSFER,
        unit=_UNIT,
        debit_account_id=bindparam("from_id", type_=Uuid),
        credit_account_id=bindparam("to_id", type_=Uuid),
        amount=_AMOUNT,
        reason=bindparam("reason", type_=Text),
        key=bindparam("key", type_=Text),
        payment_id=_PAYMENT,
        reverses=bindparam("reverses", type_=Uuid),
        actor_id=bindparam("actor_id", type_=Uuid),
        created_at=NOW,
    )
    .on_conflict_do_nothing()
    .returning(
        credit_transfers.c.debit_account_id,
        credit_transfers.c.credit_account_id,
        credit_transfers.c.amount,
    )
    .cte("moved")
)
_gained = case((credit_accounts.c.id == _moved.c.credit_account_id, 1), else_=-1)
_sign = case((credit_accounts.c.kind == "debt", -1), else_=1)
MOVE = statement(
    update(credit_accounts)
    .where(
        or_(
            credit_accounts.c.id == _moved.c.credit_account_id,
            credit_accounts.c.id == _moved.c.debit_account_id,
        ),
        credit_accounts.c.kind != "issuer",
    )
    .values(balance=credit_accounts.c.balance + _moved.c.amount * _gained * _sign)
    .returning(credit_accounts.c.id)
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
    in_debt = select(literal(1)).where(debt.c.id == _DEBT, debt.c.balance > 0).exists()
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
            [
                "id", "unit", "debit_account_id", "credit_account_id", "amount", "reason", "key",
                "payment_id", "created_at",
            ],
            select(
                _TRANSFER, _UNIT, spent.c.id, _ISSUER, _AMOUNT, literal("spend"),
                bindparam("key", type_=Text), null(), NOW,
            ),
        )
        .returning(credit_transfers.c.id)
        .cte("moved")
    )  # fmt: skip
    return Spending(spent, moved)


_wallet = credit_accounts.alias("wallet")
SPEND = statement(
    select(credit_transfers.c.unit, credit_transfers.c.amount, _wallet.c.holder_id)
    .join(_wallet, _wallet.c.id == credit_transfers.c.debit_account_id)
    .where(credit_transfers.c.id == _TRANSFER, credit_transfers.c.reason == "spend")
)

# What a payment bought, and how much of each purchase was taken back and not restored.
_taken = credit_transfers.alias("taken")
_restored = credit_transfers.alias("restored")


def _sum_of(transfers: Any, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    found = select(func.coalesce(func.sum(transfers.c.amount), 0)).where(*conditions)
    return func.coalesce(found.scalar_subquery(), 0).cast(BigInteger)


_taken_back = _sum_of(_taken, _taken.c.reverses == credit_transfers.c.id)
_given_again = func.coalesce(
    select(func.sum(_restored.c.amount))
    .join_from(_restored, _taken, _restored.c.reverses == _taken.c.id)
    .where(_taken.c.reverses == credit_transfers.c.id)
    .scalar_subquery(),
    0,
).cast(BigInteger)
PURCHASES = statement(
    select(
        credit_transfers.c.id,
        _wallet.c.holder_id,
        credit_transfers.c.unit,
        credit_transfers.c.amount,
        _taken_back - _given_again,
    )
    .join(_wallet, _wallet.c.id == credit_transfers.c.credit_account_id)
    .where(credit_transfers.c.payment_id == _PAYMENT, credit_transfers.c.reason == "purchase")
    .order_by(credit_transfers.c.id)
)
TAKEN_BACK = statement(
    select(
        credit_transfers.c.id,
        credit_transfers.c.amount - _sum_of(_taken, _taken.c.reverses == credit_transfers.c.id),
    )
    .where(credit_transfers.c.reverses == _TRANSFER)
    .order_by(credit_transfers.c.id.desc())
)


def _moved_for(column: ColumnElement[Any], *reasons: str) -> ColumnElement[int]:
    among = or_(*(credit_transfers.c.reason == reason for reason in reasons))
    moved = select(func.coalesce(func.sum(credit_transfers.c.amount), 0))
    return moved.where(column == _WALLET, among).scalar_subquery()


def _balance_of(account: ColumnElement[Any]) -> ColumnElement[int]:
    held = select(credit_accounts.c.balance).where(credit_accounts.c.id == account)
    return func.coalesce(held.scalar_subquery(), 0)


_used = _moved_for(credit_transfers.c.debit_account_id, "spend") - _moved_for(
    credit_transfers.c.credit_account_id, "give_back"
)
_left = _balance_of(_WALLET) - _balance_of(_DEBT)
BALANCE = json_object(
    select(
        _UNIT.label("unit"),
        (_left + _used).label("total"),
        _used.label("used"),
        _left.label("remaining"),
    )
)


def _shown(transfers: FromClause) -> tuple[Any, ...]:
    told = transfers.c
    gained = case((told.credit_account_id == _WALLET, 1), else_=-1)
    return (
        told.id, told.unit, gained.op("*")(told.amount).label("amount"), told.reason,
        told.payment_id, told.reverses, told.created_at,
    )  # fmt: skip


# The first few of each side by its own index, however much has moved, and of these the first.
_AFTER = bindparam("after_0", type_=Uuid)
_LIMIT = bindparam("limit", type_=Integer)


def _side(account: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    found = select(credit_transfers).where(account == _WALLET, credit_transfers.c.id < _AFTER)
    top = found.order_by(credit_transfers.c.id.desc()).limit(_LIMIT + 1).subquery()
    return select(top)


_sides = union_all(
    _side(credit_transfers.c.debit_account_id), _side(credit_transfers.c.credit_account_id)
).subquery("sides")
TRANSFERS = PagedStatement(select(*_shown(_sides)), _sides.c.id)
GRANTED = json_object(
    select(*_shown(credit_transfers)).where(
        credit_transfers.c.key == bindparam("key", type_=Text),
        credit_transfers.c.credit_account_id == _WALLET,
        credit_transfers.c.amount
        == bindparam("credit_amount", type_=credit_transfers.c.amount.type),
    )
)
IS_THERE = statement(select(accounts.stands(_HOLDER)))
