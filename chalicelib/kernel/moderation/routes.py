"""Blocking people."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import User
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.moderation import service
from chalicelib.kernel.moderation.errors import CannotBlockOneself
from chalicelib.kernel.moderation.schemas import Block

bp = Blueprint(__name__)


@endpoint(
    bp,
    "PUT",
    "/v1/moderation/blocks/{user_id}",
    caller=User,
    status=204,
    errors=(NotFound, CannotBlockOneself),
)
def block(db: Connection, caller: Caller, user_id: UUID) -> None:
    """Block somebody: neither of you sees the other any more."""
    service.block(db, caller, user_id)


@endpoint(
    bp, "DELETE", "/v1/moderation/blocks/{user_id}", caller=User, status=204, errors=(NotFound,)
)
def unblock(db: Connection, caller: Caller, user_id: UUID) -> None:
    """Take a block back."""
    service.unblock(db, caller, user_id)


@endpoint(bp, "GET", "/v1/moderation/blocks", caller=User)
def blocks(db: Connection, caller: Caller, query: PageQuery) -> Json[Page[Block]]:
    """Whom one has blocked, newest first."""
    return service.blocked(db, caller, query)
