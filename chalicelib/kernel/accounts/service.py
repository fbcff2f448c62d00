"""Signing up, verifying, signing in and out; and what other domains may ask of accounts."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from chalicelib.core import clock, db, ids, outbox, passwords, sealing
from chalicelib.core.auth import ACCESS_TOKEN_LIFE, Caller, access_token
from chalicelib.core.config import config
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import FieldProblem
from chalicelib.kernel.accounts import queries
from chalicelib.kernel.accounts.errors import (
    PasswordTooCommon,
    RefreshRefused,
    TokenNotValid,
    WrongCredentials,
    WrongPassword,
)
from chalicelib.kernel.accounts.events import (
    EmailVerified,
    KnownAddressSignedUp,
    NothingToMail,
    VerificationRequested,
)
from chalicelib.kernel.accounts.schemas import (
    Accepted,
    Credentials,
    SignUp,
    Tokens,
    Verification,
    Verified,
)
from chalicelib.kernel.accounts.sessions import queries as sessions
from chalicelib.kernel.accounts.verifications import queries as verifications

SESSION_LIFE = timedelta(days=30)
VERIFICATION_LIFE = timedelta(hours=24)

caller_state, staff_state = queries.CALLER_STATE, queries.STAFF_STATE
"""How the edge learns whether a caller's session stands, and what they may do."""
stands = queries.stands
"""A Core clause: whether a user is neither banned nor erased."""
locale_of = queries.locale_of
"""A Core scalar: the language a user reads."""
holds_role = queries.holds_role
"""A Core clause: whether a user holds one of these staff roles, for a product or for all."""
wrapped_key_of = queries.wrapped_key_of
"""A Core scalar: a user's wrapped data key, null once erased."""
time_zone_at = queries.time_zone_at
"""A Core scalar on a row of users: the zone their days are counted in at a moment."""
local_day = queries.local_day
"""A Core scalar: the date it is for a user."""
name_of = queries.name_of
"""A Core scalar: what a user is called."""


class MailAddress(NamedTuple):
    """Where a person is written to, and how."""

    email: str
    name: str | None
    locale: str


def sign_up(unit: Connection, data: SignUp) -> Accepted:
    """Open an account and have its address verified by mail.

    A known address gets a mail instead, and whoever asks learns nothing: the same statements run
    and the same password is hashed. PasswordTooCommon for one of the first anybody would guess.
    """
    refuse_common(data.password)
    user_id = ids.uuid7()
    _, wrapped_key = sealing.new_data_key(_key_row(user_id))
    row = unit.one(
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
        outbox.publish(unit, told(known_id))
    return Accepted()


def refuse_common(password: str) -> None:
    """PasswordTooCommon for one of the first anybody would guess."""
    if passwords.is_common(password):
        problem = FieldProblem("body.password", "too_common", PasswordTooCommon.title)
        raise PasswordTooCommon(problems=(problem,))


def request_verification(unit: Connection, email: str) -> Accepted:
    """Mail the verification again, if the address is of an account that still needs it."""
    row = unit.one(queries.USER_BY_EMAIL, email=email)
    told = NothingToMail(ids.uuid7()) if row is None or row[1] else VerificationRequested(row[0])
    outbox.publish(unit, told)
    return Accepted()


def mint_verification_token(unit: Connection, user_id: UUID) -> str:
    """A fresh token that verifies a user's address for a day; the one before is good no more."""
    return mint_token(unit, user_id, "verify_email", VERIFICATION_LIFE)


def mint_token(unit: Connection, user_id: UUID, kind: str, life: timedelta) -> str:
    """A fresh token of a kind, to be mailed; the one before is good no more."""
    token = ids.secret_token()
    now = clock.now()
    unit.run(
        queries.MINT_TOKEN,
        token_id=ids.uuid7(),
        user_id=user_id,
        kind=kind,
        token_hash=ids.token_hash(token),
        expires_at=now + life,
        now=now,
    )
    return token


def mail_address(
    unit: Connection, user_id: UUID, *, even_banned: bool = False
) -> MailAddress | None:
    """Where a user is written to; None for one who is banned, erased or has no address.

    `even_banned`: the mail tells of the ban itself.
    """
    row = unit.one(queries.MAIL_ADDRESS, user_id=user_id, even_banned=even_banned)
    return MailAddress(*row) if row else None


def verify_email(transactions: Transactions, data: Verification) -> Verified:
    """Take a mailed token, once, from whoever knows the password. The first admin gets the role.

    TokenNotValid, WrongPassword: an account that somebody opened with another's address, or gave
    it to, does not become that address's by a click of its owner, who has never chosen that
    password. One that was mailed to a new address makes it the account's, unless somebody else's
    account came to have it meanwhile.
    """
    hashed = ids.token_hash(data.token)
    stored = transactions.read(_password_behind, hashed)
    if stored is None or not passwords.matches(stored, data.password):
        raise WrongPassword
    return transactions.write(_verify, hashed, stored)


def _password_behind(unit: Connection, hashed: str) -> str | None:
    row = unit.one(verifications.PASSWORD_BEHIND, token_hash=hashed, now=clock.now())
    if row is None:
        raise TokenNotValid
    return row[0]


def _verify(unit: Connection, hashed: str, checked_hash: str) -> Verified:
    with db.refused(db.UNIQUE_VIOLATION, "users_email", TokenNotValid()):
        row = unit.one(
            verifications.VERIFY_EMAIL,
            token_hash=hashed,
            checked_hash=checked_hash,
            admin_email=config().admin_email,
            now=clock.now(),
        )
    if row is None:
        raise TokenNotValid
    user_id, kind = row
    if kind == "change_email":
        unit.later(queries.FORGET_TOKENS, user_id=user_id)
    outbox.publish(unit, EmailVerified(user_id))
    return Verified()


def sign_in(transactions: Transactions, credentials: Credentials) -> Tokens:
    """Open a session; WrongCredentials takes as long whether or not the address is known."""
    user_id, stored, old_kind = transactions.read(_credentials_of, credentials.email)
    right = passwords.matches(stored, credentials.password, old_kind)
    if user_id is None or stored is None or not right:
        raise WrongCredentials
    outdated = passwords.is_outdated(stored)
    new_hash = passwords.hash_of(credentials.password) if outdated else None
    return transactions.write(_open_session, user_id, credentials.device, stored, new_hash)


def _credentials_of(unit: Connection, email: str) -> tuple[UUID | None, str | None, str | None]:
    return unit.one(sessions.CREDENTIALS, email=email) or (None, None, None)


def _open_session(
    unit: Connection, user_id: UUID, device: str | None, checked_hash: str, new_hash: str | None
) -> Tokens:
    now = clock.now()
    session_id, token = ids.uuid7(), ids.secret_token()
    opened = unit.one(
        sessions.OPEN,
        session_id=session_id,
        token_hash=ids.token_hash(token),
        user_id=user_id,
        device=device,
        checked_hash=checked_hash,
        new_hash=new_hash,
        expires_at=now + SESSION_LIFE,
        now=now,
    )
    if opened is None:
        raise WrongCredentials
    return _tokens(user_id, session_id, token, now)


def refresh(transactions: Transactions, token: str) -> Tokens:
    """The next tokens of a session. A token used twice was stolen from one of two: both lose it."""
    hashed = ids.token_hash(token)
    try:
        return transactions.write(_replace, hashed)
    except RefreshRefused:
        # Apart, since what was refused is rolled back and this has to stand.
        transactions.write(_end_reused, hashed)
        raise


def _replace(unit: Connection, hashed: str) -> Tokens:
    now = clock.now()
    row = unit.one(sessions.REPLACE, token_hash=hashed, now=now)
    if row is None:
        raise RefreshRefused
    session_id, user_id = row
    token = ids.secret_token()
    unit.later(
        sessions.ADD_TOKEN,
        token_hash=ids.token_hash(token),
        session_id=session_id,
        replaced_at=None,
        created_at=now,
    )
    unit.later(sessions.PROLONG, session_id=session_id, until=now + SESSION_LIFE)
    unit.later(sessions.TOUCH, user_id=user_id, now=now)
    return _tokens(user_id, session_id, token, now)


def _end_reused(unit: Connection, hashed: str) -> None:
    unit.run(sessions.END_REUSED, token_hash=hashed, now=clock.now())


def _tokens(user_id: UUID, session_id: UUID, token: str, now: datetime) -> Tokens:
    return Tokens(
        access_token=access_token(user_id, session_id, now),
        refresh_token=token,
        expires_in=int(ACCESS_TOKEN_LIFE.total_seconds()),
    )


def sign_out(unit: Connection, caller: Caller) -> None:
    """End this session, from the next request on."""
    unit.run(sessions.END, caller=caller.id, session_id=caller.session_id, now=clock.now())


def sign_out_everywhere(unit: Connection, caller: Caller) -> None:
    """End every session of the caller, from the next request on."""
    unit.run(sessions.END_ALL_BUT, user_id=caller.id, kept=None, now=clock.now())


def forget_expired(unit: Connection, now: datetime) -> int:
    """Remove a batch of expired tokens and sessions; how many."""
    before = now - timedelta(days=1)
    dropped = unit.run(queries.EXPIRED_TOKENS, before=now)
    return dropped + unit.run(queries.EXPIRED_SESSIONS, before=before)


def data_key(user_id: UUID, wrapped: bytes) -> bytes:
    """The plain data key of a user, from its wrapped form."""
    return sealing.unwrap(_key_row(user_id), wrapped)


def new_wrapped_key(user_id: UUID) -> bytes:
    """A fresh data key for a user, in its wrapped form."""
    return sealing.new_data_key(_key_row(user_id))[1]


def _key_row(user_id: UUID) -> str:
    return f"accounts.data_keys:{user_id}"
