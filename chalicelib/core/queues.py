"""`@worker`: a plain function becomes a Lambda that takes messages from a queue.

Each message is a unit of work of its own. What fails is told to SQS alone (a partial batch
response), is received again, and after five times lies in the dead-letter queue.
"""

import time
from collections.abc import Callable
from typing import Any

from chalice.app import Blueprint, SQSEvent

from chalicelib.core import db, log, naming, outbox
from chalicelib.core.config import config
from chalicelib.core.db import Transactions
from chalicelib.core.outbox import Message, Subscriber

BATCH = 10

Handler = Callable[[Any], None]


def worker(
    blueprint: Blueprint, queue: str, *, read: Callable[[str], Any] = Message.of
) -> Callable[[Handler], Handler]:
    """Make a function the consumer of `queue` (its name without the deployment's prefix).

    It is given what `read` makes of a message's body: an event of ours, or what another service
    put there.
    """

    def decorate(function: Handler) -> Handler:
        name = naming.name_of(function)

        def consume(event: SQSEvent) -> dict[str, list[dict[str, str]]]:
            records = event.to_dict()["Records"]
            failed = [
                record["messageId"] for record in records if not _done(name, read, function, record)
            ]
            return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}

        naming.take_the_place_of(function, consume)
        wrapped: Handler = blueprint.on_sqs_message(
            queue=f"{config().queue_prefix}{queue}", batch_size=BATCH, name=name
        )(consume)
        return wrapped

    return decorate


def hand_out(message: Message, queue: str) -> None:
    """Deliver an event to each subscriber on `queue`, each in a transaction of its own.

    All get it before the first that failed makes the message come again.
    """
    failure: Exception | None = None
    for subscriber in outbox.hearing(message, queue):
        try:
            _deliver(message, subscriber)
        except Exception as error:  # noqa: BLE001  raised again below, when the others had it
            failure = failure or error
    if failure is not None:
        raise failure


def _deliver(message: Message, subscriber: Subscriber) -> None:
    if subscriber.calls:
        subscriber.effect(Transactions(), message.event())
        db.write(outbox.record, message, subscriber)
    else:
        db.write(outbox.deliver, message, subscriber)


def _done(name: str, read: Callable[[str], Any], function: Handler, record: dict[str, Any]) -> bool:
    started = time.perf_counter()
    error: Exception | None = None
    topic = None
    try:
        message = read(record["body"])
        topic = getattr(message, "topic", None)
        function(message)
    except Exception as failure:  # noqa: BLE001  one bad message must not hold up the batch
        error = failure
    log.line(
        "message",
        worker=name,
        topic=topic,
        message_id=record["messageId"],
        ok=error is None,
        ms=round((time.perf_counter() - started) * 1000, 2),
        error=log.frames(error) if error else None,
    )
    return error is None
