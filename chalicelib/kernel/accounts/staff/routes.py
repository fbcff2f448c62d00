"""Staff and their roles."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Staff
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts.errors import LastAdmin
from chalicelib.kernel.accounts.staff import service
from chalicelib.kernel.accounts.staff.schemas import StaffMember, StaffRole, StaffRoleQuery

bp = Blueprint(__name__)


@endpoint(bp, "GET", "/v1/admin/staff_roles", caller=Staff())
def members(db: Connection, query: PageQuery) -> Json[Page[StaffMember]]:
    """Everybody who holds a staff role."""
    return service.staff(db, query)


@endpoint(
    bp,
    "PUT",
    "/v1/admin/staff_roles/{user_id}",
    caller=Staff(),
    status=204,
    errors=(NotFound,),
)
def give(db: Connection, caller: Caller, user_id: UUID, body: StaffRole) -> None:
    """Give somebody a role, for one product or for all."""
    service.give(db, caller, user_id, body)


@endpoint(
    bp,
    "DELETE",
    "/v1/admin/staff_roles/{user_id}",
    caller=Staff(),
    status=204,
    errors=(NotFound, LastAdmin),
)
def take(db: Connection, caller: Caller, user_id: UUID, query: StaffRoleQuery) -> None:
    """Take a role from somebody; the last admin of all products stays one."""
    service.take(db, caller, user_id, query)
