"""Posts."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import User, Verified
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.products.marketplace.errors import ActivePostExists, PostingFeeNotPaid
from chalicelib.products.marketplace.posts import service
from chalicelib.products.marketplace.schemas import Post, PostCreate, PostQuery

bp = Blueprint(__name__)


@endpoint(
    bp,
    "POST",
    "/v1/marketplace/posts",
    caller=Verified,
    status=201,
    errors=(PostingFeeNotPaid, ActivePostExists),
)
def create(db: Connection, caller: Caller, body: PostCreate) -> Json[Post]:
    """Publish a post, within a year of paying the posting fee; one is active at a time."""
    return service.create_post(db, caller, body)


@endpoint(bp, "GET", "/v1/marketplace/posts", caller=User)
def search(db: Connection, caller: Caller, query: PostQuery) -> Json[Page[Post]]:
    """Posts of others and one's own, newest first."""
    return service.search(db, caller, query)


@endpoint(bp, "GET", "/v1/marketplace/posts/{post_id}", caller=User, errors=(NotFound,))
def get(db: Connection, caller: Caller, post_id: UUID) -> Json[Post]:
    """A post."""
    return service.post(db, caller, post_id)


@endpoint(bp, "POST", "/v1/marketplace/posts/{post_id}/archive", caller=User, errors=(NotFound,))
def archive(db: Connection, caller: Caller, post_id: UUID) -> Json[Post]:
    """Take one's post down; another may be published then."""
    return service.archive(db, caller, post_id)
