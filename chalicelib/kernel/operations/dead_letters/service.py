"""Dead letters: messages that failed five times, looked at and sent again by an operator.

What a message holds is never shown: ids and topic say which event it is. Sending one again is
safe, since an event has its effect once however often it comes.
"""

import json
from uuid import UUID

from chalicelib.core import audit, aws, outbox
from chalicelib.core.auth import Caller
from chalicelib.core.aws import QueuedMessage
from chalicelib.core.config import config
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.outbox import Message
from chalicelib.core.paging import Page
from chalicelib.kernel.operations.schemas import DeadLetter, DeadQueue, Resent

_DEAD = "-dead"


def queues(transactions: Transactions, caller: Caller) -> Page[DeadQueue]:
    """The queues, and about how many dead letters each has."""
    transactions.write(_note, caller, "operations.look_at_dead_letters", "all", 0)
    sizes = aws.queue_sizes(config().queue_prefix, _DEAD)
    items = [DeadQueue(queue=name, messages=sizes[name]) for name in sorted(sizes)]
    return Page[DeadQueue](items=items, next_cursor=None)


def look_at(transactions: Transactions, caller: Caller, queue: str, limit: int) -> Page[DeadLetter]:
    """Some dead letters of a queue, oldest first; NotFound for a queue there isn't."""
    transactions.write(_note, caller, "operations.look_at_dead_letters", queue, limit)
    found = aws.look_into(outbox.url_of(f"{queue}{_DEAD}"), limit)
    return Page[DeadLetter](items=[_shown(one) for one in found], next_cursor=None)


def resend(transactions: Transactions, caller: Caller, queue: str, most: int) -> Resent:
    """Give dead letters back to their queue; NotFound. It is in the audit log before it happens."""
    transactions.write(_note, caller, "operations.resend_dead_letters", queue, most)
    source, target = outbox.url_of(f"{queue}{_DEAD}"), outbox.url_of(queue)
    return Resent(resent=aws.move_messages(source, target, most))


def _note(db: Connection, caller: Caller, action: str, queue: str, most: int) -> None:
    audit.record(db, caller.id, action, f"queues:{queue}", {"most": most})


def _shown(one: QueuedMessage) -> DeadLetter:
    event_id, topic = _event_of(one.body)
    return DeadLetter(
        message_id=one.id,
        event_id=event_id,
        topic=topic,
        sent_at=one.sent_at,
        receives=one.receives,
    )


def _event_of(body: str) -> tuple[UUID | None, str | None]:
    try:
        message = Message.of(body)
    except (ValueError, KeyError, TypeError, AttributeError, json.JSONDecodeError):
        return None, None
    return message.event_id, message.topic
