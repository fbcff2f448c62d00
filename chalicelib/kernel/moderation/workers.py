"""The queue of moderation."""

from chalice.app import Blueprint

from chalicelib.core import queues
from chalicelib.core.outbox import Message
from chalicelib.core.queues import worker
from chalicelib.kernel.moderation import subscribers

bp = Blueprint(__name__)

__all__ = ["bp", "hear", "subscribers"]


@worker(bp, "moderation")
def hear(message: Message) -> None:
    """Deliver an event to the subscribers of moderation."""
    queues.hand_out(message, "moderation")
