"""Every statement that staff ask about people, and that shuts them out."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import CITEXT

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import command, json_object, statement
from chalicelib.kernel.accounts.queries import NOW, roles_of
from chalicelib.kernel.accounts.staff.queries import holds_a_role, is_admin, is_admin_of_all
from chalicelib.kernel.accounts.tables import bans, users

_USER = bindparam("user_id", type_=Uuid)
_ACTOR = bindparam("actor", type_=Uuid)

_ban = (
    select(func.json_build_object("reason", bans.c.reason, "created_at", bans.c.created_at))
    .where(bans.c.user_id == users.c.id, bans.c.lifted_at.is_(None))
    .scalar_subquery()
)


def _accounts(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """What staff see of people: neither hashes nor what is sealed."""
    return select(
        users.c.id,
        cast(users.c.email, Text).label("email"),
        users.c.email_verified_at.is_not(None).label("email_verified"),
        users.c.name,
        users.c.status,
        users.c.locale,
        users.c.time_zone,
        users.c.created_at,
        users.c.last_active_at,
        users.c.erased_at,
        roles_of(users.c.id).label("roles"),
        _ban.label("ban"),
    ).where(*conditions)


ALL = PagedStatement(_accounts(), users.c.id)
BY_EMAIL = PagedStatement(_accounts(users.c.email == bindparam("email", type_=CITEXT)), users.c.id)
BY_ID = PagedStatement(_accounts(users.c.id == _USER), users.c.id)
ONE = json_object(_accounts(users.c.id == _USER))

# `above`: oneself, admins, and for those who are none themselves all staff.
_target = (
    select(
        users.c.id,
        or_(
            users.c.id == _ACTOR,
            is_admin(users.c.id),
            and_(holds_a_role(users.c.id), ~is_admin_of_all(_ACTOR)),
        ).label("above"),
    )
    .where(users.c.id == _USER, users.c.status != "erased")
    .cte("target")
)
_banned = (
    update(users)
    .where(users.c.id == _target.c.id, ~_target.c.above, users.c.status == "active")
    .values(status="banned", updated_at=NOW)
    .returning(users.c.id)
    .cte("banned")
)
_kept = (
    insert(bans)
    .from_select(
        ["id", "user_id", "reason", "banned_by", "created_at"],
        select(
            bindparam("ban_id", type_=Uuid),
            _banned.c.id,
            bindparam("reason", type_=Text),
            _ACTOR,
            NOW,
        ),
    )
    .returning(bans.c.user_id)
    .cte("kept")
)
BAN = statement(select(_target.c.above, select(_kept.c.user_id).exists()))
UNBAN = statement(
    update(users)
    .where(users.c.id == _USER, users.c.status == "banned")
    .values(status="active", updated_at=NOW)
    .returning(users.c.id)
)
LIFT = command(
    update(bans)
    .where(bans.c.user_id == _USER, bans.c.lifted_at.is_(None))
    .values(lifted_at=NOW, lifted_by=_ACTOR)
)
