"""Leaving: everything of one's own to take along, and everything of one's own gone."""

from uuid import UUID

from chalicelib.core import audit, clock, outbox, privacy
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.kernel.accounts.erasure import queries
from chalicelib.kernel.accounts.errors import LastAdmin, WrongPassword
from chalicelib.kernel.accounts.events import UserErased
from chalicelib.kernel.accounts.passwords import service as passwords
from chalicelib.kernel.accounts.schemas import Erasure, Export, ExportedTable
from chalicelib.kernel.accounts.service import data_key


def erase(transactions: Transactions, caller: Caller, data: Erasure) -> None:
    """Empty the caller's row and delete what is theirs, everywhere and at once.

    WrongPassword and LastAdmin stand against it. What was sealed under their key dies with it;
    payments, transfers and the audit log stay, and point at the empty row.
    """
    checked_hash = passwords.checked(transactions, caller, data.password)
    transactions.write(_erase, caller, checked_hash)


def _erase(db: Connection, caller: Caller, checked_hash: str) -> None:
    row = db.one(queries.ERASE, user_id=caller.id, checked_hash=checked_hash, now=clock.now())
    is_last_admin, is_erased = row or (False, False)
    if is_last_admin:
        raise LastAdmin
    if not is_erased:
        raise WrongPassword
    privacy.erase(db, caller.id)
    outbox.publish(db, UserErased(caller.id))
    audit.record(db, caller.id, "accounts.erase", f"accounts.users:{caller.id}")


def erase_again(db: Connection, user_id: UUID) -> None:
    """Erase what came to be after somebody was erased, by a request that had begun before."""
    privacy.erase(db, user_id)


def export(db: Connection, caller: Caller) -> Export:
    """Everything that is stored of the caller, opened where it was sealed for them."""
    row = db.one(queries.WRAPPED_KEY, user_id=caller.id)
    key = data_key(caller.id, row[0]) if row and row[0] else None
    tables = [ExportedTable(**one._asdict()) for one in privacy.export(db, caller.id, key)]
    return Export(user_id=caller.id, exported_at=clock.now(), tables=tables)
