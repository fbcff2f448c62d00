"""Posts, for staff."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Staff
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.products.marketplace.staff import service
from chalicelib.products.marketplace.staff.schemas import Removal, StaffPost, StaffPostQuery

bp = Blueprint(__name__)

_MODERATOR = Staff("moderator", product="marketplace")


@endpoint(bp, "GET", "/v1/admin/marketplace/posts", caller=_MODERATOR)
def posts(db: Connection, query: StaffPostQuery) -> Json[Page[StaffPost]]:
    """Everybody's posts, removed ones too, newest first."""
    return service.all_posts(db, query)


@endpoint(
    bp,
    "POST",
    "/v1/admin/marketplace/posts/{post_id}/remove",
    caller=_MODERATOR,
    errors=(NotFound,),
)
def remove(db: Connection, caller: Caller, post_id: UUID, body: Removal) -> Json[StaffPost]:
    """Remove a post; its author is told why, and who revealed it keeps what they bought."""
    return service.remove_post(db, caller, post_id, body)
