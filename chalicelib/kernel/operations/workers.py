"""The queue of operations: jobs that were asked for by hand."""

from chalice.app import Blueprint

from chalicelib.core import queues
from chalicelib.core.outbox import Message
from chalicelib.core.queues import worker
from chalicelib.kernel.operations import subscribers

bp = Blueprint(__name__)

__all__ = ["bp", "operate", "subscribers"]


@worker(bp, "operations")
def operate(message: Message) -> None:
    """Do what operators asked for."""
    queues.hand_out(message, "operations")
