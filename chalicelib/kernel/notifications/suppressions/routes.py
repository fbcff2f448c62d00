"""Addresses that are not written to."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Staff
from chalicelib.kernel.notifications.suppressions import service

bp = Blueprint(__name__)


@endpoint(
    bp,
    "DELETE",
    "/v1/admin/users/{user_id}/suppression",
    caller=Staff("support"),
    status=204,
    errors=(NotFound,),
)
def lift(db: Connection, caller: Caller, user_id: UUID) -> None:
    """Write to somebody again whose address had bounced or complained."""
    service.lift(db, caller, user_id)
