"""Claiming contacts back."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Verified
from chalicelib.products.marketplace.claims import service
from chalicelib.products.marketplace.errors import ClaimedBack, ClaimsUsedUp, TooLateToClaim
from chalicelib.products.marketplace.schemas import StaleClaim

bp = Blueprint(__name__)


@endpoint(
    bp,
    "POST",
    "/v1/marketplace/reveals/{post_id}/stale_claims",
    caller=Verified,
    status=201,
    moves=True,
    errors=(NotFound, ClaimedBack, TooLateToClaim, ClaimsUsedUp),
)
def claim_stale(db: Connection, caller: Caller, post_id: UUID) -> StaleClaim:
    """Return a contact that leads nowhere, within days of revealing it, for what it cost."""
    return service.claim_stale(db, caller, post_id)
