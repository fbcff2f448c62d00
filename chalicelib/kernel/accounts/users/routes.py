"""People as staff see them, and shutting somebody out."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Staff
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts.errors import StaffAbove
from chalicelib.kernel.accounts.users import service
from chalicelib.kernel.accounts.users.schemas import Account, AccountQuery, Ban

bp = Blueprint(__name__)


@endpoint(bp, "GET", "/v1/admin/users", caller=Staff("support", "moderator"))
def search(db: Connection, caller: Caller, query: AccountQuery) -> Json[Page[Account]]:
    """Accounts, the newest first, or the one with exactly this address or id."""
    return service.search(db, caller, query)


@endpoint(
    bp,
    "GET",
    "/v1/admin/users/{user_id}",
    caller=Staff("support", "moderator"),
    errors=(NotFound,),
)
def get(db: Connection, caller: Caller, user_id: UUID) -> Json[Account]:
    """An account."""
    return service.account(db, caller, user_id)


@endpoint(
    bp,
    "PUT",
    "/v1/admin/users/{user_id}/ban",
    caller=Staff("moderator"),
    status=204,
    errors=(NotFound, StaffAbove),
)
def ban(db: Connection, caller: Caller, user_id: UUID, body: Ban) -> None:
    """Shut somebody out: every session ends with its next request."""
    service.ban(db, caller.id, user_id, body.reason)


@endpoint(
    bp,
    "DELETE",
    "/v1/admin/users/{user_id}/ban",
    caller=Staff("moderator"),
    status=204,
    errors=(NotFound,),
)
def unban(db: Connection, caller: Caller, user_id: UUID) -> None:
    """Let somebody in again."""
    service.unban(db, caller.id, user_id)
