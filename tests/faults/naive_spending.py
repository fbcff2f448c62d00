"""Spending as people write it who have not been charged twice yet: faults for proofs to find."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, Uuid, column, text

from chalicelib.core import clock, ids
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.statements import Statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.billing.errors import InsufficientCredits
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.products.marketplace.posts import service as posts
from chalicelib.products.marketplace.reveals import service as reveals
from chalicelib.products.marketplace.schemas import RevealedContact
from tests.faults.world import replaced
from tests.support import database


def _sql(written: str, **columns: Any) -> Statement[Any]:
    named = [column(name, kind) for name, kind in columns.items()]
    return Statement(text(written).columns(*named))


_BALANCE = _sql(
    "select balance from billing.credit_accounts where id = :wallet",
    balance=BigInteger,
)
_SET_BALANCE = _sql("update billing.credit_accounts set balance = :balance where id = :wallet")
_TAKE_ONE = _sql(
    "update billing.credit_accounts set balance = balance - 1 where id = :wallet and balance > 0"
)
_ADD = _sql("update billing.credit_accounts set balance = balance + :amount where id = :wallet")
_TRANSFER = _sql(
    "insert into billing.credit_transfers"
    " (id, unit, debit_account_id, credit_account_id, amount, reason, key, created_at) values"
    " (:id, 'contact', :debit, :credit, :amount,"
    " :reason, :key, :now)"
)
_IS_KEY = _sql("select id from billing.credit_transfers where key = :key", id=Uuid)
_IS_REVEALED = _sql(
    "select requester_id as id from marketplace.contact_reveals"
    " where requester_id = :buyer and target_post_id = :post",
    id=Uuid,
)
_REVEAL = _sql(
    "insert into marketplace.contact_reveals (id, requester_id, target_post_id, owner_id,"
    " revealed_via, transfer_id, contact_info, revealed_at)"
    " select cast(:id as uuid), cast(:buyer as uuid), id, user_id, 'credit',"
    " cast(:transfer as uuid), contact_info, cast(:now as timestamptz)"
    " from marketplace.posts where id = cast(:post as uuid) on conflict do nothing"
)
_POST = _sql(
    "select p.user_id as author, p.contact_info as sealed, k.wrapped_key as wrapped"
    " from marketplace.posts p join accounts.data_keys k on k.user_id = p.user_id"
    " where p.id = :post",
    author=Uuid,
    sealed=LargeBinary,
    wrapped=LargeBinary,
)


def _transfer(unit: Connection, debit: UUID, credit: UUID, amount: int, **named: str) -> UUID:
    made = ids.uuid7()
    given = {"id": made, "debit": debit, "credit": credit, "amount": amount, "now": clock.now()}
    unit.run(_TRANSFER, **given, **named)
    return made


def _spend_one(unit: Connection, buyer: UUID, post_id: UUID, key: str) -> RevealedContact:
    wallet, now = ledger.account_id("wallet", "contact", buyer), clock.now()
    issuer = ledger.account_id("issuer", "contact")
    transfer = _transfer(unit, wallet, issuer, 1, reason="spend", key=key)
    given = {"id": ids.uuid7(), "buyer": buyer, "post": post_id, "transfer": transfer, "now": now}
    unit.run(_REVEAL, **given)
    row = unit.one(_POST, post=post_id)
    assert row
    author, sealed, wrapped = row
    contact = posts.open_contact(accounts.data_key(author, wrapped), post_id, sealed)
    return RevealedContact(
        post_id=post_id, contact_info=contact, revealed_via="credit", revealed_at=now
    )


def _look_then_spend(unit: Connection, caller: Caller, post_id: UUID) -> RevealedContact:
    wallet = ledger.account_id("wallet", "contact", caller.id)
    row = unit.one(_BALANCE, wallet=wallet)
    if row is None or row[0] < 1:
        raise InsufficientCredits
    unit.run(_SET_BALANCE, wallet=wallet, balance=row[0] - 1)
    return _spend_one(unit, caller.id, post_id, f"reveal:{caller.id}:{post_id}")


def _look_then_charge(unit: Connection, caller: Caller, post_id: UUID) -> RevealedContact:
    if unit.one(_IS_REVEALED, buyer=caller.id, post=post_id) is None:
        wallet = ledger.account_id("wallet", "contact", caller.id)
        if not unit.run(_TAKE_ONE, wallet=wallet):
            raise InsufficientCredits
    return _spend_one(unit, caller.id, post_id, f"reveal:{ids.uuid7()}")


def looking_then_spending() -> AbstractContextManager[None]:
    """The balance is read, found large enough, and written less one."""
    return replaced(reveals, "reveal_contact", _look_then_spend)


def looking_then_charging() -> AbstractContextManager[None]:
    """Who has not revealed the contact is charged, under a key of the request's own."""
    return replaced(reveals, "reveal_contact", _look_then_charge)


def two_transactions() -> AbstractContextManager[None]:
    """The balance is raised in one transaction, and the transfer written in the next."""
    grant = ledger.grant

    def raise_then_write(
        db: Connection, holder: UUID, unit: str, amount: int, *, key: str, **told: Any
    ) -> bool:
        if told:
            return grant(db, holder, unit, amount, key=key, **told)
        if db.one(_IS_KEY, key=key) is not None:
            return False
        wallet, issuer = (
            ledger.account_id("wallet", unit, holder),
            ledger.account_id("issuer", unit),
        )
        ledger._hold(db, holder, unit)  # noqa: SLF001  the wallet may not be there yet
        db.run(_ADD, wallet=wallet, amount=amount)
        db.finish()
        _transfer(db, issuer, wallet, amount, reason="grant", key=key)
        return True

    return replaced(ledger, "grant", raise_then_write)


def a_key_each_time() -> AbstractContextManager[None]:
    """A grant is known by a key made for the try, not for what is granted."""
    grant = ledger.grant

    def again(*told: Any, key: str, **named: Any) -> bool:
        return grant(*told, key=f"{key}:{ids.uuid7()}", **named)

    return replaced(ledger, "grant", again)


@contextmanager
def without_the_trigger() -> Iterator[None]:
    """Nothing in the database stands before its history."""
    ((made,),) = database.execute(
        "select pg_get_triggerdef(oid) from pg_trigger where tgname = 'credit_transfers_append_only'"
    )
    database.execute("drop trigger credit_transfers_append_only on billing.credit_transfers")
    try:
        yield
    finally:
        database.execute(str(made))
