"""Every statement on sessions and their refresh tokens."""

from sqlalchemy import (
    DateTime,
    Text,
    Uuid,
    bindparam,
    func,
    insert,
    literal,
    literal_column,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import CITEXT

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import command, statement
from chalicelib.kernel.accounts.queries import NOW, stands
from chalicelib.kernel.accounts.tables import refresh_tokens, sessions, users

_CALLER = bindparam("caller", type_=Uuid)
_USER = bindparam("user_id", type_=Uuid)
_SESSION = bindparam("session_id", type_=Uuid)
_TOKEN_HASH = bindparam("token_hash", type_=Text)

# One row for every address: whose it is, and of which kind the old hashes are that are still about.
_known = (
    select(users.c.id, users.c.password_hash)
    .where(users.c.email == bindparam("email", type_=CITEXT), users.c.status == "active")
    .subquery("known")
)
_others = users.alias("others")
_kind = func.left(_others.c.password_hash, literal_column("7"))
_old_kind = (
    select(_kind)
    .where(func.left(_others.c.password_hash, literal_column("2")) == literal_column("'$2'"))
    .order_by(_kind.desc())
    .limit(literal_column("1"))
    .scalar_subquery()
)
CREDENTIALS = statement(
    select(_known.c.id, _known.c.password_hash, _old_kind).select_from(
        select(null().label("anchor")).subquery("anchor").outerjoin(_known, true())
    )
)

# Only while the password is the one that was checked: it may have been changed meanwhile.
_standing = (
    update(users)
    .where(
        users.c.id == _USER,
        users.c.status == "active",
        users.c.password_hash == bindparam("checked_hash", type_=Text),
    )
    .values(
        password_hash=func.coalesce(bindparam("new_hash", type_=Text), users.c.password_hash),
        last_active_at=NOW,
    )
    .returning(users.c.id)
    .cte("standing")
)
_opened = (
    insert(sessions)
    .from_select(
        ["id", "user_id", "device", "expires_at", "created_at"],
        select(
            _SESSION,
            _standing.c.id,
            bindparam("device", type_=Text),
            bindparam("expires_at", type_=DateTime(timezone=True)),
            NOW,
        ),
    )
    .returning(sessions.c.id)
    .cte("opened")
)
OPEN = statement(
    insert(refresh_tokens)
    .from_select(["token_hash", "session_id", "created_at"], select(_TOKEN_HASH, _opened.c.id, NOW))
    .returning(refresh_tokens.c.session_id)
)

# The token is replaced only while its session stands; of two at once, one gets it.
_live = (
    select(literal(1))
    .where(
        sessions.c.id == refresh_tokens.c.session_id,
        sessions.c.revoked_at.is_(None),
        sessions.c.expires_at > NOW,
        stands(sessions.c.user_id),
    )
    .exists()
)
REPLACE = statement(
    update(refresh_tokens)
    .where(
        refresh_tokens.c.token_hash == _TOKEN_HASH, refresh_tokens.c.replaced_at.is_(None), _live
    )
    .values(replaced_at=NOW)
    .returning(
        refresh_tokens.c.session_id,
        select(sessions.c.user_id)
        .where(sessions.c.id == refresh_tokens.c.session_id)
        .scalar_subquery(),
    )
)
ADD_TOKEN = command(insert(refresh_tokens))
TOUCH = command(update(users).where(users.c.id == _USER).values(last_active_at=NOW))
PROLONG = command(
    update(sessions)
    .where(sessions.c.id == bindparam("session_id", type_=Uuid))
    .values(expires_at=bindparam("until", type_=sessions.c.expires_at.type))
)
END_REUSED = command(
    update(sessions)
    .where(
        sessions.c.id
        == select(refresh_tokens.c.session_id)
        .where(
            refresh_tokens.c.token_hash == _TOKEN_HASH, refresh_tokens.c.replaced_at.is_not(None)
        )
        .scalar_subquery(),
        sessions.c.revoked_at.is_(None),
    )
    .values(revoked_at=NOW)
)

_are_live = (sessions.c.revoked_at.is_(None), sessions.c.expires_at > NOW)
END = command(
    update(sessions)
    .where(sessions.c.id == _SESSION, sessions.c.user_id == _CALLER, *_are_live)
    .values(revoked_at=NOW)
)
END_ALL_BUT = command(
    update(sessions)
    .where(
        sessions.c.user_id == _USER,
        sessions.c.revoked_at.is_(None),
        or_(
            bindparam("kept", type_=Uuid).is_(None), sessions.c.id != bindparam("kept", type_=Uuid)
        ),
    )
    .values(revoked_at=NOW)
)
_refreshed_at = (
    select(func.max(refresh_tokens.c.created_at))
    .where(refresh_tokens.c.session_id == sessions.c.id)
    .scalar_subquery()
)
LIVE = PagedStatement(
    select(
        sessions.c.id,
        sessions.c.device,
        (sessions.c.id == bindparam("current", type_=Uuid)).label("current"),
        sessions.c.created_at,
        _refreshed_at.label("refreshed_at"),
        sessions.c.expires_at,
    ).where(sessions.c.user_id == _CALLER, *_are_live),
    sessions.c.id,
)
