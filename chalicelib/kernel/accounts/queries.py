"""Every statement on accounts."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    LargeBinary,
    ScalarSelect,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, CITEXT
from sqlalchemy.dialects.postgresql import insert as upsert

from chalicelib.core.statements import command, json_object, statement
from chalicelib.kernel.accounts.tables import (
    data_keys,
    refresh_tokens,
    sessions,
    staff_roles,
    tokens,
    users,
)

NOW = bindparam("now", type_=DateTime(timezone=True))
_CALLER = bindparam("caller", type_=Uuid)
_EMAIL = bindparam("email", type_=CITEXT)


def roles_of(user_id: ColumnElement[Any]) -> ColumnElement[list[str]]:
    """`product:role` for each staff role of a user, as an array."""
    return func.array(
        select(staff_roles.c.product + ":" + staff_roles.c.role)
        .where(staff_roles.c.user_id == user_id)
        .scalar_subquery(),
        type_=ARRAY(Text),
    )


def stands(user_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a user is neither banned nor erased."""
    return select(literal(1)).where(users.c.id == user_id, users.c.status == "active").exists()


def wrapped_key_of(user_id: ColumnElement[Any]) -> ScalarSelect[bytes]:
    """A user's wrapped data key; null once the user is erased."""
    return select(data_keys.c.wrapped_key).where(data_keys.c.user_id == user_id).scalar_subquery()


CALLER_STATE = statement(
    select(
        users.c.email_verified_at.is_not(None),
        users.c.locale,
        users.c.time_zone,
        roles_of(users.c.id),
    )
    .join(sessions, sessions.c.user_id == users.c.id)
    .where(
        users.c.id == _CALLER,
        users.c.status == "active",
        sessions.c.id == bindparam("session", type_=Uuid),
        sessions.c.revoked_at.is_(None),
        sessions.c.expires_at > NOW,
    )
)

ME = json_object(
    select(
        users.c.id,
        cast(users.c.email, Text).label("email"),
        users.c.email_verified_at.is_not(None).label("email_verified"),
        users.c.name,
        users.c.locale,
        users.c.time_zone,
        users.c.created_at,
        roles_of(users.c.id).label("roles"),
    ).where(users.c.id == _CALLER)
)

# A new account with its data key; or, for a known address, that account's id and nothing changed.
_created = (
    upsert(users)
    .values(
        id=bindparam("user_id", type_=Uuid),
        email=_EMAIL,
        password_hash=bindparam("password_hash", type_=Text),
        name=bindparam("name", type_=Text),
        status="active",
        locale=bindparam("locale", type_=Text),
        time_zone=bindparam("time_zone", type_=Text),
        created_at=NOW,
        updated_at=NOW,
    )
    .on_conflict_do_nothing(index_elements=[users.c.email])
    .returning(users.c.id)
    .cte("created")
)
_keyed = (
    insert(data_keys)
    .from_select(
        ["user_id", "wrapped_key", "created_at"],
        select(_created.c.id, cast(bindparam("wrapped_key", type_=LargeBinary), LargeBinary), NOW),
    )
    .returning(data_keys.c.user_id)
    .cte("keyed")
)
CREATE = statement(
    select(_created.c.id, literal(True))
    .union_all(select(users.c.id, literal(False)).where(users.c.email == _EMAIL))
    .add_cte(_keyed)
)

USER_BY_EMAIL = statement(
    select(users.c.id, users.c.password_hash, users.c.email_verified_at.is_not(None)).where(
        users.c.email == _EMAIL, users.c.status == "active"
    )
)

MAIL_ADDRESS = statement(
    select(cast(users.c.email, Text), users.c.name, users.c.locale).where(
        users.c.id == bindparam("user_id", type_=Uuid),
        users.c.status == "active",
        users.c.email.is_not(None),
    )
)

_new_token = upsert(tokens)
MINT_TOKEN = command(
    _new_token.on_conflict_do_update(
        index_elements=[tokens.c.user_id, tokens.c.kind],
        index_where=tokens.c.used_at.is_(None),
        set_={
            "token_hash": _new_token.excluded.token_hash,
            "expires_at": _new_token.excluded.expires_at,
            "created_at": _new_token.excluded.created_at,
        },
    )
)

_used = (
    update(tokens)
    .where(
        tokens.c.token_hash == bindparam("token_hash", type_=Text),
        tokens.c.kind == "verify_email",
        tokens.c.used_at.is_(None),
        tokens.c.expires_at > NOW,
    )
    .values(used_at=NOW)
    .returning(tokens.c.user_id)
    .cte("used")
)
_verified = (
    update(users)
    .where(users.c.id == _used.c.user_id, users.c.status == "active")
    .values(email_verified_at=func.coalesce(users.c.email_verified_at, NOW), updated_at=NOW)
    .returning(users.c.id, users.c.email)
    .cte("verified")
)
_first_admin = (
    upsert(staff_roles)
    .from_select(
        ["user_id", "product", "role", "created_at"],
        select(_verified.c.id, literal("all"), literal("admin"), NOW).where(
            _verified.c.email == bindparam("admin_email", type_=CITEXT)
        ),
    )
    .on_conflict_do_nothing()
    .returning(staff_roles.c.user_id)
    .cte("first_admin")
)
VERIFY_EMAIL = statement(select(_verified.c.id).add_cte(_first_admin))

OPEN_SESSION = command(insert(sessions))
ADD_REFRESH_TOKEN = command(insert(refresh_tokens))
SET_PASSWORD_HASH = command(
    update(users)
    .where(users.c.id == bindparam("user_id", type_=Uuid))
    .values(password_hash=bindparam("new_hash", type_=Text), updated_at=NOW)
)

# The token is replaced only while its session stands; of two at once, one gets it.
_live_session = (
    select(literal(1))
    .where(
        sessions.c.id == refresh_tokens.c.session_id,
        sessions.c.revoked_at.is_(None),
        sessions.c.expires_at > NOW,
        stands(sessions.c.user_id),
    )
    .exists()
)
REPLACE_REFRESH_TOKEN = statement(
    update(refresh_tokens)
    .where(
        refresh_tokens.c.token_hash == bindparam("token_hash", type_=Text),
        refresh_tokens.c.replaced_at.is_(None),
        _live_session,
    )
    .values(replaced_at=NOW)
    .returning(
        refresh_tokens.c.session_id,
        select(sessions.c.user_id)
        .where(sessions.c.id == refresh_tokens.c.session_id)
        .scalar_subquery(),
    )
)
REVOKE_REUSED = command(
    update(sessions)
    .where(
        sessions.c.id
        == select(refresh_tokens.c.session_id)
        .where(
            refresh_tokens.c.token_hash == bindparam("token_hash", type_=Text),
            refresh_tokens.c.replaced_at.is_not(None),
        )
        .scalar_subquery(),
        sessions.c.revoked_at.is_(None),
    )
    .values(revoked_at=NOW)
)
TOUCH = command(
    update(users).where(users.c.id == bindparam("user_id", type_=Uuid)).values(last_active_at=NOW)
)

REVOKE_SESSIONS = command(
    update(sessions)
    .where(
        sessions.c.user_id == _CALLER,
        sessions.c.revoked_at.is_(None),
        or_(
            sessions.c.id == bindparam("only", type_=Uuid),
            bindparam("only", type_=Uuid).is_(None),
        ),
    )
    .values(revoked_at=NOW)
)

EXPIRED_TOKENS = command(
    tokens.delete().where(
        tokens.c.id
        == func.any(
            func.array(
                select(tokens.c.id)
                .where(tokens.c.expires_at < bindparam("before", type_=DateTime(timezone=True)))
                .limit(1000)
                .scalar_subquery()
            )
        )
    )
)
EXPIRED_SESSIONS = command(
    sessions.delete().where(
        sessions.c.id
        == func.any(
            func.array(
                select(sessions.c.id)
                .where(sessions.c.expires_at < bindparam("before", type_=DateTime(timezone=True)))
                .limit(1000)
                .scalar_subquery()
            )
        )
    )
)
