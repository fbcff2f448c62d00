"""Messages that could not be worked on."""

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Transactions
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Staff
from chalicelib.core.paging import Page
from chalicelib.kernel.operations.dead_letters import service
from chalicelib.kernel.operations.schemas import (
    DeadLetter,
    DeadLetterQuery,
    DeadQueue,
    Queue,
    Resend,
    Resent,
)

bp = Blueprint(__name__)


@endpoint(bp, "GET", "/v1/admin/dead_letters", caller=Staff())
def queues(transactions: Transactions, caller: Caller) -> Page[DeadQueue]:
    """The queues, and about how many messages of each could not be worked on."""
    return service.queues(transactions, caller)


@endpoint(bp, "GET", "/v1/admin/dead_letters/{queue}", caller=Staff(), errors=(NotFound,))
def look_at(
    transactions: Transactions, caller: Caller, queue: Queue, query: DeadLetterQuery
) -> Page[DeadLetter]:
    """Some dead letters of a queue, oldest first: which events they are, not what they hold."""
    return service.look_at(transactions, caller, queue, query.limit)


@endpoint(bp, "POST", "/v1/admin/dead_letters/{queue}/resend", caller=Staff(), errors=(NotFound,))
def resend(transactions: Transactions, caller: Caller, queue: Queue, body: Resend) -> Resent:
    """Give dead letters back to their queue; what they tell of still has its effect once."""
    return service.resend(transactions, caller, queue, body.most)
