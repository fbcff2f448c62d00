"""Passwords: forgotten, changed, and asked for again before what can't be taken back."""

from uuid import UUID

from chalicelib.core import clock, ids, outbox, passwords
from chalicelib.core.auth import Caller
from chalicelib.core.config import config
from chalicelib.core.db import Connection, Transactions
from chalicelib.kernel.accounts import queries as accounts
from chalicelib.kernel.accounts.errors import TokenNotValid, WrongPassword
from chalicelib.kernel.accounts.events import (
    EmailVerified,
    NothingToMail,
    PasswordChanged,
    PasswordResetRequested,
)
from chalicelib.kernel.accounts.passwords import queries
from chalicelib.kernel.accounts.schemas import Accepted, NewPassword, PasswordChange, PasswordSet
from chalicelib.kernel.accounts.service import refuse_common
from chalicelib.kernel.accounts.sessions import service as sessions


def request_reset(db: Connection, email: str) -> Accepted:
    """Mail a token that sets the password anew, if the address is of an account."""
    row = db.one(accounts.USER_BY_EMAIL, email=email)
    told = PasswordResetRequested if row else NothingToMail
    outbox.publish(db, told(row[0] if row else ids.uuid7()))
    return Accepted()


def reset(db: Connection, data: NewPassword) -> PasswordSet:
    """Set a password with the mailed token and end every session; TokenNotValid otherwise.

    The address is verified by it as well: so whoever's address somebody else signed up with comes
    into their own, and whoever signed up with it is out.
    """
    refuse_common(data.password)
    row = db.one(
        queries.RESET,
        token_hash=ids.token_hash(data.token),
        new_hash=passwords.hash_of(data.password),
        admin_email=config().admin_email,
        now=clock.now(),
    )
    if row is None:
        raise TokenNotValid
    user_id, is_first = row
    _changed(db, user_id, kept_session=None)
    if is_first:
        outbox.publish(db, EmailVerified(user_id))
    return PasswordSet()


def change(transactions: Transactions, caller: Caller, data: PasswordChange) -> None:
    """Set another password and end the other sessions; WrongPassword changes nothing."""
    refuse_common(data.password)
    checked_hash = checked(transactions, caller, data.current_password)
    transactions.write(_change, caller, checked_hash, passwords.hash_of(data.password))


def _change(db: Connection, caller: Caller, checked_hash: str, new_hash: str) -> None:
    row = db.one(
        queries.CHANGE,
        user_id=caller.id,
        checked_hash=checked_hash,
        new_hash=new_hash,
        now=clock.now(),
    )
    if row is None:
        raise WrongPassword
    _changed(db, caller.id, kept_session=caller.session_id)


def _changed(db: Connection, user_id: UUID, kept_session: UUID | None) -> None:
    sessions.end_all(db, user_id, clock.now(), but=kept_session)
    db.later(accounts.FORGET_TOKENS, user_id=user_id)
    outbox.publish(db, PasswordChanged(user_id))


def checked(transactions: Transactions, caller: Caller, password: str) -> str:
    """The hash of the caller's password once `password` was seen to be it; else WrongPassword.

    What follows names that hash in its condition, so that a password which is changed meanwhile
    opens nothing.
    """
    stored = transactions.read(_stored, caller.id)
    if stored is None or not passwords.matches(stored, password):
        raise WrongPassword
    return stored


def _stored(db: Connection, user_id: UUID) -> str | None:
    row = db.one(queries.STORED, user_id=user_id)
    return row[0] if row else None
