"""Looking behind posts."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import User, Verified
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.errors import InsufficientCredits
from chalicelib.products.marketplace.errors import (
    ClaimedBack,
    OwnPost,
    PaymentReturned,
    RevealsUsedUp,
)
from chalicelib.products.marketplace.reveals import service
from chalicelib.products.marketplace.schemas import PostReveal, Reveal, RevealedContact

bp = Blueprint(__name__)


@endpoint(
    bp,
    "POST",
    "/v1/marketplace/posts/{post_id}/reveal",
    caller=Verified,
    moves=True,
    stores_answer=False,
    errors=(NotFound, OwnPost, RevealsUsedUp, InsufficientCredits, ClaimedBack, PaymentReturned),
)
def reveal_contact(db: Connection, caller: Caller, post_id: UUID) -> RevealedContact:
    """Reveal who is behind a post, for one contact credit; free to look at again."""
    return service.reveal_contact(db, caller, post_id)


@endpoint(bp, "GET", "/v1/marketplace/reveals", caller=User)
def revealed(db: Connection, caller: Caller, query: PageQuery) -> Json[Page[Reveal]]:
    """The posts whose contact one has revealed, newest first."""
    return service.revealed(db, caller, query)


@endpoint(bp, "GET", "/v1/marketplace/posts/{post_id}/reveals", caller=User, errors=(NotFound,))
def of_post(
    db: Connection, caller: Caller, post_id: UUID, query: PageQuery
) -> Json[Page[PostReveal]]:
    """Who revealed the contact of one's own post, newest first."""
    return service.reveals_of_post(db, caller, post_id, query)
