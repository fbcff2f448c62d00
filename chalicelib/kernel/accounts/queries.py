"""Every statement on accounts."""

from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    LargeBinary,
    ScalarSelect,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, CITEXT, array
from sqlalchemy.dialects.postgresql import insert as upsert

from chalicelib.core.statements import Statement, command, statement
from chalicelib.kernel.accounts.tables import (
    data_keys,
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


def locale_of(user_id: ColumnElement[Any]) -> ScalarSelect[str]:
    """The language a user reads."""
    return select(users.c.locale).where(users.c.id == user_id).scalar_subquery()


def holds_role(
    user_id: ColumnElement[Any], product: ColumnElement[Any], *roles: str
) -> ColumnElement[bool]:
    """Whether a user who stands holds one of these staff roles, for a product or for all."""
    held = (
        select(literal(1))
        .where(
            staff_roles.c.user_id == user_id,
            or_(staff_roles.c.product == product, staff_roles.c.product == "all"),
            or_(*(staff_roles.c.role == role for role in roles)),
        )
        .exists()
    )
    return and_(stands(user_id), held)


def wrapped_key_of(user_id: ColumnElement[Any]) -> ScalarSelect[bytes]:
    """A user's wrapped data key; null once the user is erased."""
    return select(data_keys.c.wrapped_key).where(data_keys.c.user_id == user_id).scalar_subquery()


def time_zone_at(now: ColumnElement[Any]) -> ColumnElement[str]:
    """The zone a user's days are counted in: a change holds from their next local day on."""
    has_come = users.c.next_time_zone_from <= now
    return case((has_come, users.c.next_time_zone), else_=users.c.time_zone)


def local_day(user_id: ColumnElement[Any], now: ColumnElement[Any]) -> ScalarSelect[date]:
    """The date it is for a user."""
    return (
        select(cast(func.timezone(time_zone_at(now), now), Date))
        .where(users.c.id == user_id)
        .scalar_subquery()
    )


def name_of(user_id: ColumnElement[Any]) -> ScalarSelect[str | None]:
    """What a user is called; null for one who never said, or is erased."""
    return select(users.c.name).where(users.c.id == user_id).scalar_subquery()


_NO_ROLES = cast(array([]), ARRAY(Text))


def _state(roles: ColumnElement[Any]) -> Statement[tuple[bool, str, str, list[str]]]:
    return statement(
        select(users.c.email_verified_at.is_not(None), users.c.locale, time_zone_at(NOW), roles)
        .join(sessions, sessions.c.user_id == users.c.id)
        .where(
            users.c.id == _CALLER,
            users.c.status == "active",
            sessions.c.id == bindparam("session", type_=Uuid),
            sessions.c.revoked_at.is_(None),
            sessions.c.expires_at > NOW,
        )
    )


# Nearly every request is of somebody whose roles nobody asks for.
CALLER_STATE = _state(_NO_ROLES)
STAFF_STATE = _state(roles_of(users.c.id))

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
    select(users.c.id, users.c.email_verified_at.is_not(None)).where(
        users.c.email == _EMAIL, users.c.status == "active"
    )
)

MAIL_ADDRESS = statement(
    select(cast(users.c.email, Text), users.c.name, users.c.locale).where(
        users.c.id == bindparam("user_id", type_=Uuid),
        or_(
            users.c.status == "active",
            and_(users.c.status == "banned", bindparam("even_banned", type_=Boolean)),
        ),
        users.c.email.is_not(None),
    )
)

_new_token = upsert(tokens).from_select(
    ["id", "user_id", "kind", "token_hash", "expires_at", "created_at"],
    select(
        bindparam("token_id", type_=Uuid),
        users.c.id,
        bindparam("kind", type_=Text),
        bindparam("token_hash", type_=Text),
        bindparam("expires_at", type_=DateTime(timezone=True)),
        NOW,
    )
    .where(users.c.id == bindparam("user_id", type_=Uuid), users.c.status == "active")
    .with_for_update(read=True),
)
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


def take_token(*kinds: str) -> CTE:
    """Part of a statement that takes the token of `token_hash`, once, while it is good."""
    return (
        update(tokens)
        .where(
            tokens.c.token_hash == bindparam("token_hash", type_=Text),
            or_(*(tokens.c.kind == kind for kind in kinds)),
            tokens.c.used_at.is_(None),
            tokens.c.expires_at > NOW,
        )
        .values(used_at=NOW)
        .returning(tokens.c.user_id, tokens.c.kind, tokens.c.email)
        .cte("used")
    )


# A link that was mailed to an address is good no more once the account has left it, and one that
# somebody else asked for no more once the password was changed.
FORGET_TOKENS = command(
    tokens.delete().where(
        tokens.c.user_id == bindparam("user_id", type_=Uuid),
        tokens.c.used_at.is_(None),
        tokens.c.kind != "verify_email",
    )
)


def _expired(rows: Table) -> Statement[tuple[()]]:
    """In the order of their end: most often none has ended, and the index says so at once."""
    before = bindparam("before", type_=DateTime(timezone=True))
    gone = select(rows.c.id).where(rows.c.expires_at < before).order_by(rows.c.expires_at)
    batch = func.array(gone.limit(1000).scalar_subquery())
    return command(rows.delete().where(rows.c.id == func.any(batch)))


EXPIRED_TOKENS, EXPIRED_SESSIONS = _expired(tokens), _expired(sessions)
