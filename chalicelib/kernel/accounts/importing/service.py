"""Taking over accounts from somewhere else. Every function may be repeated with the same id."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from chalicelib.core import ids
from chalicelib.core.db import Connection
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.accounts.importing import queries

Outcome = Literal["added", "known", "taken"]


def import_user(
    unit: Connection,
    user_id: UUID,
    *,
    email: str | None,
    password_hash: str | None,
    name: str | None,
    verified_at: datetime | None,
    created_at: datetime,
) -> Outcome:
    """An account with the hash it came with; `taken` when the address is another account's."""
    row = unit.one(
        queries.ADD_USER,
        user_id=user_id,
        email=email,
        password_hash=password_hash,
        name=name,
        verified_at=verified_at,
        created_at=created_at,
        wrapped_key=accounts.new_wrapped_key(user_id),
    )
    return _outcome(row)


def import_verification_token(
    unit: Connection,
    token_id: UUID,
    user_id: UUID,
    token: str,
    *,
    expires_at: datetime,
    created_at: datetime,
) -> Outcome:
    """A mailed token, kept as its hash; `taken` when the account has one that is unused."""
    row = unit.one(
        queries.ADD_TOKEN,
        token_id=token_id,
        user_id=user_id,
        token_hash=ids.token_hash(token),
        expires_at=expires_at,
        created_at=created_at,
    )
    return _outcome(row)


def data_key(unit: Connection, user_id: UUID) -> bytes | None:
    """The plain data key of a user; None once erased."""
    row = unit.one(queries.KEY, user_id=user_id)
    return accounts.data_key(user_id, row[0]) if row else None


def _outcome(row: tuple[bool, bool] | None) -> Outcome:
    added, known = row or (False, False)
    if added:
        return "added"
    return "known" if known else "taken"
