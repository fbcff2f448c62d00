"""The queue of webhooks: apart, so that a flood or a poisonous one holds up nothing else."""

from chalice.app import Blueprint

from chalicelib.core import queues
from chalicelib.core.outbox import Message
from chalicelib.core.queues import worker
from chalicelib.kernel.billing.webhooks import subscribers

bp = Blueprint(__name__)

__all__ = ["apply", "bp", "subscribers"]


@worker(bp, "webhooks")
def apply(message: Message) -> None:
    """Apply stored webhooks."""
    queues.hand_out(message, "webhooks")
