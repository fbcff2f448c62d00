"""The queue of accounts."""

from chalice.app import Blueprint

from chalicelib.core import queues
from chalicelib.core.outbox import Message
from chalicelib.core.queues import worker
from chalicelib.kernel.accounts import subscribers

bp = Blueprint(__name__)

__all__ = ["bp", "follow_up", "subscribers"]


@worker(bp, "accounts")
def follow_up(message: Message) -> None:
    """Deliver an event to the subscribers of accounts."""
    queues.hand_out(message, "accounts")
