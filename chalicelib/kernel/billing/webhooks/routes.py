"""Where payment providers tell what happened."""

from chalice.app import Blueprint

from chalicelib.core.db import Connection
from chalicelib.core.http import RawRequest, endpoint
from chalicelib.core.operations import Anonymous, Rate
from chalicelib.kernel.billing.errors import WebhookRefused
from chalicelib.kernel.billing.schemas import Received
from chalicelib.kernel.billing.webhooks import service

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
