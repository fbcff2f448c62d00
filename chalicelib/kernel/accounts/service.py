"""Signing up, verifying, signing in and out; and what other domains may ask of accounts."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from chalicelib.core import clock, ids, outbox, passwords, sealing
from chalicelib.core.auth import ACCESS_TOKEN_LIFE, Caller, access_token
from chalicelib.core.config import config
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import NotSignedIn
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts import queries
from chalicelib.kernel.accounts.errors import (
    PasswordTooCommon,
    RefreshRefused,
    TokenNotValid,
    WrongCredentials,
)
from chalicelib.kernel.accounts.events import (
    EmailVerified,
    KnownAddressSignedUp,
    VerificationRequested,
)
from chalicelib.kernel.accounts.schemas import Accepted, Credentials, Me, SignUp, Tokens, Verified

SESSION_LIFE = timedelta(days=30)
VERIFICATION_LIFE = timedelta(hours=24)

stands = queries.stands
"""A Core clause: whether a user is neither banned nor erased."""
wrapped_key_of = queries.wrapped_key_of
"""A Core scalar: a user's wrapped data key, null once erased."""


class MailAddress(NamedTuple):
    """Where a person is written to, and how."""

    email: str
    name: str | None
    locale: str


def sign_up(db: Connection, data: SignUp) -> Accepted:
    """Open an account and have its address verified by mail.

    A known address gets a mail instead, and whoever asks learns nothing: the same statements run
    and the same password is hashed. PasswordTooCommon for one of the first anybody would guess.
    """
    if passwords.is_common(data.password):
        raise PasswordTooCommon
    user_id = ids.uuid7()
    _, wrapped_key = sealing.new_data_key(_key_row(user_id))
    row = db.one(
        queries.CREATE,
        user_id=user_id,
        email=data.email,
        password_hash=passwords.hash_of(data.password),
        name=data.name,
        locale=data.locale,
        time_zone=data.time_zone,
        wrapped_key=wrapped_key,
        now=clock.now(),
    )
    if row is not None:
        known_id, is_new = row
        told = VerificationRequested if is_new else KnownAddressSignedUp
        outbox.publish(db, told(known_id))
    return Accepted()


def request_verification(db: Connection, email: str) -> Accepted:
    """Mail the verification again, if the address is of an account that still needs it."""
    row = db.one(queries.USER_BY_EMAIL, email=email)
    if row is not None and not row[2]:
        outbox.publish(db, VerificationRequested(row[0]))
    return Accepted()


def mint_verification_token(db: Connection, user_id: UUID) -> str:
    """A fresh token that verifies a user's address for a day; the one before is good no more."""
    token = ids.secret_token()
    now = clock.now()
    db.run(
        queries.MINT_TOKEN,
        id=ids.uuid7(),
        user_id=user_id,
        kind="verify_email",
        token_hash=ids.token_hash(token),
        expires_at=now + VERIFICATION_LIFE,
        used_at=None,
        created_at=now,
    )
    return token


def mail_address(db: Connection, user_id: UUID) -> MailAddress | None:
    """Where a user is written to; None for one who is banned, erased or has no address."""
    row = db.one(queries.MAIL_ADDRESS, user_id=user_id)
    return MailAddress(*row) if row else None


def verify_email(db: Connection, token: str) -> Verified:
    """Take a mailed token, once; TokenNotValid otherwise. The configured admin gets the role."""
    row = db.one(
        queries.VERIFY_EMAIL,
        token_hash=ids.token_hash(token),
        admin_email=config().admin_email,
        now=clock.now(),
    )
    if row is None:
        raise TokenNotValid
    outbox.publish(db, EmailVerified(row[0]))
    return Verified()


def sign_in(transactions: Transactions, credentials: Credentials) -> Tokens:
    """Open a session; WrongCredentials takes as long whether or not the address is known."""
    user_id, stored = transactions.read(_password_of, credentials.email)
    if not passwords.matches(stored, credentials.password) or user_id is None:
        raise WrongCredentials
    outdated = passwords.is_outdated(stored or "")
    new_hash = passwords.hash_of(credentials.password) if outdated else None
    return transactions.write(_open_session, user_id, credentials.device, new_hash)


def _password_of(db: Connection, email: str) -> tuple[UUID | None, str | None]:
    row = db.one(queries.USER_BY_EMAIL, email=email)
    return (row[0], row[1]) if row else (None, None)


def _open_session(
    db: Connection, user_id: UUID, device: str | None, new_hash: str | None
) -> Tokens:
    now = clock.now()
    session_id = ids.uuid7()
    db.later(
        queries.OPEN_SESSION,
        id=session_id,
        user_id=user_id,
        device=device,
        revoked_at=None,
        expires_at=now + SESSION_LIFE,
        created_at=now,
    )
    if new_hash is not None:
        db.later(queries.SET_PASSWORD_HASH, user_id=user_id, new_hash=new_hash, now=now)
    return _tokens(db, user_id, session_id, now)


def refresh(transactions: Transactions, token: str) -> Tokens:
    """The next tokens of a session. A token used twice was stolen from one of two: both lose it."""
    hashed = ids.token_hash(token)
    try:
        return transactions.write(_replace, hashed)
    except RefreshRefused:
        # Apart, since what was refused is rolled back and this has to stand.
        transactions.write(_end_reused, hashed)
        raise


def _replace(db: Connection, hashed: str) -> Tokens:
    now = clock.now()
    row = db.one(queries.REPLACE_REFRESH_TOKEN, token_hash=hashed, now=now)
    if row is None:
        raise RefreshRefused
    session_id, user_id = row
    return _tokens(db, user_id, session_id, now)


def _end_reused(db: Connection, hashed: str) -> None:
    db.run(queries.REVOKE_REUSED, token_hash=hashed, now=clock.now())


def _tokens(db: Connection, user_id: UUID, session_id: UUID, now: datetime) -> Tokens:
    token = ids.secret_token()
    db.later(
        queries.ADD_REFRESH_TOKEN,
        token_hash=ids.token_hash(token),
        session_id=session_id,
        replaced_at=None,
        created_at=now,
    )
    db.later(queries.TOUCH, user_id=user_id, now=now)
    return Tokens(
        access_token=access_token(user_id, session_id, now),
        refresh_token=token,
        expires_in=int(ACCESS_TOKEN_LIFE.total_seconds()),
    )


def sign_out(db: Connection, caller: Caller, *, everywhere: bool) -> None:
    """End this session, or all of the caller's, from the next request on."""
    only = None if everywhere else caller.session_id
    db.run(queries.REVOKE_SESSIONS, caller=caller.id, only=only, now=clock.now())


def me(db: Connection, caller: Caller) -> Json[Me]:
    """The caller's own account."""
    found = db.json(queries.ME, caller=caller.id)
    if found is None:
        raise NotSignedIn
    return found


def forget_expired(db: Connection, now: datetime) -> int:
    """Remove a batch of expired tokens and sessions; how many."""
    before = now - timedelta(days=1)
    dropped = db.run(queries.EXPIRED_TOKENS, before=now)
    return dropped + db.run(queries.EXPIRED_SESSIONS, before=before)


def data_key(user_id: UUID, wrapped: bytes) -> bytes:
    """The plain data key of a user, from its wrapped form."""
    return sealing.unwrap(_key_row(user_id), wrapped)


def _key_row(user_id: UUID) -> str:
    return f"accounts.data_keys:{user_id}"
