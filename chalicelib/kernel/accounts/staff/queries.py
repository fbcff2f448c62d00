"""Every statement on staff roles."""

from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import statement
from chalicelib.kernel.accounts.queries import NOW, roles_of
from chalicelib.kernel.accounts.tables import staff_roles, users

_USER = bindparam("user_id", type_=Uuid)
_PRODUCT = bindparam("product", type_=Text)
_ROLE = bindparam("role", type_=Text)


def is_last_admin(user_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a user is the only admin of all products.

    The admins' rows stay locked until the transaction ends, in one order, so that two of them who
    go at the same moment go one after the other.
    """
    admins = (
        select(staff_roles.c.user_id)
        .where(staff_roles.c.product == "all", staff_roles.c.role == "admin")
        .order_by(staff_roles.c.user_id)
        .with_for_update()
        .cte("admins")
    )
    return and_(
        select(func.count()).select_from(admins).scalar_subquery() == 1,
        select(admins.c.user_id).where(admins.c.user_id == user_id).exists(),
    )


# A row also when the role was held already, so that giving it twice is as good as once.
GIVE = statement(
    upsert(staff_roles)
    .from_select(
        ["user_id", "product", "role", "created_at"],
        select(users.c.id, _PRODUCT, _ROLE, NOW)
        .where(users.c.id == _USER, users.c.status == "active")
        .with_for_update(read=True),
    )
    .on_conflict_do_update(
        index_elements=[staff_roles.c.user_id, staff_roles.c.product, staff_roles.c.role],
        set_={"role": staff_roles.c.role},
    )
    .returning(literal_column("(xmax = 0)", Boolean))
)

_is_last = select(
    and_(_PRODUCT == "all", _ROLE == "admin", is_last_admin(_USER)).label("refused")
).cte("is_last")
_taken = (
    delete(staff_roles)
    .where(
        staff_roles.c.user_id == _USER,
        staff_roles.c.product == _PRODUCT,
        staff_roles.c.role == _ROLE,
        ~select(_is_last.c.refused).scalar_subquery(),
    )
    .returning(staff_roles.c.user_id)
    .cte("taken")
)
TAKE = statement(select(_is_last.c.refused, select(_taken.c.user_id).exists()))

_staff = func.array(select(staff_roles.c.user_id).distinct().scalar_subquery())
STAFF = PagedStatement(
    select(
        users.c.id.label("user_id"),
        cast(users.c.email, Text).label("email"),
        users.c.name,
        roles_of(users.c.id).label("roles"),
    ).where(users.c.id == func.any(_staff)),
    users.c.id,
)


def holds_a_role(user_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a user is staff of anything."""
    return select(staff_roles.c.role).where(staff_roles.c.user_id == user_id).exists()


def is_admin(user_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a user is an admin, be it of one product."""
    return (
        select(staff_roles.c.role)
        .where(staff_roles.c.user_id == user_id, staff_roles.c.role == "admin")
        .exists()
    )


def is_admin_of_all(user_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a user is an admin of all products."""
    return (
        select(staff_roles.c.role)
        .where(
            staff_roles.c.user_id == user_id,
            staff_roles.c.product == "all",
            staff_roles.c.role == "admin",
        )
        .exists()
    )
