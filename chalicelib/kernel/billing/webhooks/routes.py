"""Where payment providers tell what happened, and where staff see what they told."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import RawRequest, endpoint
from chalicelib.core.operations import Anonymous, Rate, Staff
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.errors import WebhookRefused
from chalicelib.kernel.billing.schemas import Received
from chalicelib.kernel.billing.webhooks import service
from chalicelib.kernel.billing.webhooks.schemas import WebhookEvent, WebhookEventQuery

bp = Blueprint(__name__)

_MAX_EVENT_BYTES = 512 * 1024


@endpoint(
    bp,
    "POST",
    "/v1/webhooks/stripe",
    caller=Anonymous,
    rates=(Rate(6000, 60),),
    errors=(WebhookRefused,),
    max_body_bytes=_MAX_EVENT_BYTES,
)
def stripe(db: Connection, raw: RawRequest) -> Received:
    """Take an event that Stripe signed; it is applied afterwards."""
    return service.receive(db, raw)


@endpoint(bp, "GET", "/v1/admin/webhook_events", caller=Staff("finance", "support"))
def search(db: Connection, query: WebhookEventQuery) -> Json[Page[WebhookEvent]]:
    """What payment providers told us, newest first."""
    return service.events(db, query)


@endpoint(
    bp,
    "POST",
    "/v1/admin/webhook_events/{webhook_id}/replay",
    caller=Staff("finance", "support"),
    errors=(NotFound,),
)
def replay(db: Connection, caller: Caller, webhook_id: UUID) -> Json[WebhookEvent]:
    """Apply an event once more, from a fresh look at what it tells of; nothing is done twice."""
    return service.replay(db, caller, webhook_id)
