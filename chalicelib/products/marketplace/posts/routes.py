"""Posts."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import User, Verified
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.products.marketplace.discovery import service as discovery
from chalicelib.products.marketplace.errors import ActivePostExists, PostingFeeNotPaid
from chalicelib.products.marketplace.posts import service
from chalicelib.products.marketplace.schemas import Post, PostCreate, PostQuery, PostUpdate

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
    """Posts of others and one's own that fit, newest or most followed first."""
    return discovery.search(db, caller, query)


@endpoint(bp, "GET", "/v1/marketplace/me/posts", caller=User)
def own(db: Connection, caller: Caller, query: PageQuery) -> Json[Page[Post]]:
    """One's own posts, active and archived, newest first."""
    return service.own_posts(db, caller, query)


@endpoint(bp, "GET", "/v1/marketplace/posts/{post_id}", caller=User, errors=(NotFound,))
def get(db: Connection, caller: Caller, post_id: UUID) -> Json[Post]:
    """A post."""
    return service.post(db, caller, post_id)


@endpoint(bp, "PATCH", "/v1/marketplace/posts/{post_id}", caller=Verified, errors=(NotFound,))
def change(db: Connection, caller: Caller, post_id: UUID, body: PostUpdate) -> Json[Post]:
    """Change one's post; who revealed its contact before keeps what they bought."""
    return service.change_post(db, caller, post_id, body)


@endpoint(
    bp, "DELETE", "/v1/marketplace/posts/{post_id}", caller=User, status=204, errors=(NotFound,)
)
def delete(db: Connection, caller: Caller, post_id: UUID) -> None:
    """Remove one's post for good; its contact details are destroyed."""
    service.delete_post(db, caller, post_id)


@endpoint(bp, "POST", "/v1/marketplace/posts/{post_id}/archive", caller=User, errors=(NotFound,))
def archive(db: Connection, caller: Caller, post_id: UUID) -> Json[Post]:
    """Take one's post down; another may be published then."""
    return service.archive(db, caller, post_id)


@endpoint(
    bp,
    "POST",
    "/v1/marketplace/posts/{post_id}/reactivate",
    caller=Verified,
    errors=(NotFound, PostingFeeNotPaid, ActivePostExists),
)
def reactivate(db: Connection, caller: Caller, post_id: UUID) -> Json[Post]:
    """Put an archived post up again, within a year of paying the posting fee."""
    return service.reactivate(db, caller, post_id)
