"""The queue of notifications."""

from chalice.app import Blueprint

from chalicelib.core import queues
from chalicelib.core.outbox import Message
from chalicelib.core.queues import worker
from chalicelib.kernel.notifications import subscribers

bp = Blueprint(__name__)

__all__ = ["bp", "notify", "subscribers"]


@worker(bp, "notifications")
def notify(message: Message) -> None:
    """Deliver an event to the subscribers of notifications."""
    queues.hand_out(message, "notifications")
