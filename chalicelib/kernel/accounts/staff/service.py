"""Who of the staff may do what. A role holds from the next request on, and so does its loss."""

from uuid import UUID

from chalicelib.core import audit, clock, paging
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts.errors import LastAdmin
from chalicelib.kernel.accounts.staff import queries
from chalicelib.kernel.accounts.staff.schemas import StaffMember, StaffRole, StaffRoleQuery


def staff(db: Connection, query: PageQuery) -> Json[Page[StaffMember]]:
    """Everybody who holds a role, the newest account first."""
    return paging.page(db, queries.STAFF, query)


def give(db: Connection, caller: Caller, user_id: UUID, given: StaffRole) -> None:
    """Give somebody a role, again as good as once; NotFound for nobody."""
    row = db.one(
        queries.GIVE,
        user_id=user_id,
        product=given.product,
        role=given.role,
        now=clock.now(),
    )
    if row is None:
        raise NotFound
    if row[0]:
        _record(db, caller, "accounts.give_role", user_id, given)


def take(db: Connection, caller: Caller, user_id: UUID, taken: StaffRoleQuery) -> None:
    """Take a role; NotFound where it is not held, LastAdmin where nobody would be left."""
    row = db.one(queries.TAKE, user_id=user_id, product=taken.product, role=taken.role)
    if row is None or row == (False, False):
        raise NotFound
    if row[0]:
        raise LastAdmin
    _record(db, caller, "accounts.take_role", user_id, taken)


def _record(
    db: Connection, caller: Caller, action: str, user_id: UUID, role: StaffRole | StaffRoleQuery
) -> None:
    detail: dict[str, str | int | bool | None] = {"product": role.product, "role": role.role}
    audit.record(db, caller.id, action, f"accounts.users:{user_id}", detail)
