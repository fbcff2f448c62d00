"""The queue of the marketplace."""

from chalice.app import Blueprint

from chalicelib.core import queues
from chalicelib.core.outbox import Message
from chalicelib.core.queues import worker
from chalicelib.products.marketplace.claims import subscribers as claims
from chalicelib.products.marketplace.domains import subscribers as domains
from chalicelib.products.marketplace.posts import subscribers as posts
from chalicelib.products.marketplace.reveals import subscribers as reveals

bp = Blueprint(__name__)

__all__ = ["bp", "claims", "domains", "handle", "posts", "reveals"]


@worker(bp, "marketplace")
def handle(message: Message) -> None:
    """Deliver an event to the subscribers of the marketplace."""
    queues.hand_out(message, "marketplace")
