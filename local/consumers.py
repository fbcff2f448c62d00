"""Queue consumers: what the event source mappings of Lambda do on AWS.

One thread for each queue asks for messages, calls the handler with up to ten, and deletes those it
did not report as failed. What the emulator has forgotten, queues included, is made again.
"""

import threading
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from chalice.app import Chalice, SQSEventConfig

from chalicelib.core import aws, log
from local.lambdas import ACCOUNT, invoke

_LARGEST_BATCH = 10
# Short, so that a restart after a change in the code need not wait for it.
_LONG_POLL_SECONDS = 1
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 3.0


class Consumers:
    """Feeds every queue handler of an app from `start` to `stop`.

    `provision` makes the queues; it is called when one is found missing.
    """

    def __init__(self, app: Chalice, provision: Callable[[], None]) -> None:
        self._app = app
        self._provision = provision
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._consume, args=(source,), name=source.name, daemon=True)
            for source in sources(app)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self, patience: float) -> None:
        """Take no more messages; wait up to `patience` seconds for those being worked on."""
        self._stopping.set()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _consume(self, source: SQSEventConfig) -> None:
        pause, is_told = _FIRST_PAUSE, False
        while not self._stopping.is_set():
            try:
                self._take(source)
                pause, is_told = _FIRST_PAUSE, False
            except Exception as error:  # noqa: BLE001  whatever it is, the next try may succeed
                if _is_missing_queue(error):
                    self._make_queues()
                elif not is_told:
                    log.line("queue_unreachable", queue=source.queue, error=log.frames(error)[:1])
                    is_told = True
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _take(self, source: SQSEventConfig) -> None:
        """Receive one batch, have it worked on, and delete what is done."""
        sqs, url = aws.client("sqs"), _url_of(source.queue)
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(_LARGEST_BATCH, source.batch_size),
            WaitTimeSeconds=_LONG_POLL_SECONDS,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        if not messages:
            return
        event = {"Records": [_record(source.queue, message) for message in messages]}
        told = invoke(self._app, source.name, event) or {}
        failed = {one["itemIdentifier"] for one in told.get("batchItemFailures", [])}
        done = [message for message in messages if message["MessageId"] not in failed]
        if done:
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(done)
            ]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)

    def _make_queues(self) -> None:
        try:
            self._provision()
        except Exception as error:  # noqa: BLE001  the emulator may be gone again
            log.line("provisioning_failed", error=log.frames(error)[:1])


def sources(app: Chalice) -> list[SQSEventConfig]:
    """The queues that handlers of the app consume."""
    return [one for one in app.event_sources if isinstance(one, SQSEventConfig)]


@cache
def _url_of(queue: str | None) -> str:
    url: str = aws.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
    return url


def _record(queue: str | None, message: dict[str, Any]) -> dict[str, Any]:
    """A message as Lambda shows it to a handler."""
    region = aws.credentials().region
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": message.get("MessageAttributes", {}),
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{region}:{ACCOUNT}:{queue}",
        "awsRegion": region,
    }


def _is_missing_queue(error: Exception) -> bool:
    told: dict[str, Any] = getattr(error, "response", {}).get("Error", {})
    names = f"{told.get('Code', '')} {told.get('QueryErrorCode', '')}"
    return "NonExistentQueue" in names or "QueueDoesNotExist" in names
