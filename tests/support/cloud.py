"""What the program sends to AWS, kept here and handed to its own Lambdas as SQS does."""

import email
import email.policy
import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from chalice.app import Chalice

from chalicelib.core import clock
from chalicelib.core.aws import QueuedMessage
from chalicelib.core.errors import NotFound
from tests.support.api import Context

_PREFIX = "kith-"
_DEAD = "-dead"


@dataclass(frozen=True)
class Mail:
    """A mail that went out."""

    recipient: str
    subject: str
    text: str
    html: str
    raw: EmailMessage

    @property
    def token(self) -> str:
        """The token of the mail's link."""
        found = re.search(r"token=([\w-]+)", self.text)
        assert found, f"no token in {self.subject!r}"
        return found[1]


@dataclass
class Cloud:
    """Queues and a mail service in memory; a Lambda takes from them when told to."""

    app: Chalice
    queues: dict[str, list[str]] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    dead: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False
    mail_down: bool = False
    deliveries: int = 1
    _ids: Any = field(default_factory=itertools.count)

    def send_message(self, queue_url: str, body: str) -> None:
        """Stands where the program sends to SQS."""
        if self.down:
            raise ConnectionError("SQS is down")
        name = queue_url.rpartition("/")[2].removeprefix(_PREFIX)
        self.queues.setdefault(name, []).append(body)

    def send_mail(self, _sender: str, recipient: str, raw: bytes) -> str:
        """Stands where the program sends by SES."""
        if self.down or self.mail_down:
            raise ConnectionError("SES is down")
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
        assert text
        assert html
        mail = Mail(recipient, parsed["subject"], text.get_content(), html.get_content(), parsed)
        self.mails.append(mail)
        return f"mail-{next(self._ids)}"

    def deliver(self, *, most: int = 50) -> int:
        """Hand messages to their workers until none is left; how many were taken."""
        taken = 0
        tries: dict[str, int] = {}
        while any(self.queues.values()):
            for name, waiting in list(self.queues.items()):
                batch, self.queues[name] = waiting[:10], waiting[10:]
                for body in self.take(name, batch * self.deliveries):
                    tries[body] = tries.get(body, 0) + 1
                    if tries[body] < 5:
                        self.queues[name].append(body)
                    else:
                        self.dead.append((name, body))
                taken += len(batch)
            most -= 1
            assert most, "messages keep coming"
        return taken

    def take(self, queue: str, bodies: list[str]) -> list[str]:
        """Call the worker of a queue with these messages; those that failed."""
        if not bodies:
            return []
        source = next(
            one for one in self.app.event_sources if getattr(one, "queue", None) == _PREFIX + queue
        )
        records = [
            {
                "messageId": f"message-{next(self._ids)}",
                "receiptHandle": "receipt",
                "body": body,
                "attributes": {},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{_PREFIX}{queue}",
                "awsRegion": "us-east-1",
            }
            for body in bodies
        ]
        answer = self.app.handler_map[source.name]({"Records": records}, Context())
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        by_id = {
            f"{record['messageId']}": body for record, body in zip(records, bodies, strict=True)
        }
        return [body for identifier, body in by_id.items() if identifier in failed]

    def mail_to(self, recipient: str) -> Mail:
        """The newest mail to an address."""
        return next(one for one in reversed(self.mails) if one.recipient == recipient)

    def queue_sizes(self, prefix: str, suffix: str) -> dict[str, int]:
        """Stands where the program asks SQS how much lies in queues: the dead letters there are."""
        assert (prefix, suffix) == (_PREFIX, _DEAD)
        counted = Counter(name for name, _body in self.dead)
        return {name: counted[name] for name in self._names()}

    def look_into(self, queue_url: str, most: int) -> list[QueuedMessage]:
        """Stands where the program looks at dead letters."""
        name = self._dead_of(queue_url)
        bodies = [body for one, body in self.dead if one == name][:most]
        return [
            QueuedMessage(f"message-{at}", body, "receipt", clock.now(), 5)
            for at, body in enumerate(bodies)
        ]

    def move_messages(self, source_url: str, target_url: str, most: int) -> int:
        """Stands where the program gives dead letters back to their queue."""
        name = self._dead_of(source_url)
        moved = [one for one in self.dead if one[0] == name][:most]
        for one in moved:
            self.dead.remove(one)
            self.send_message(target_url, one[1])
        return len(moved)

    def _names(self) -> list[str]:
        sources = [getattr(one, "queue", None) for one in self.app.event_sources]
        return [name.removeprefix(_PREFIX) for name in sources if name]

    def _dead_of(self, queue_url: str) -> str:
        name = queue_url.rpartition("/")[2].removeprefix(_PREFIX).removesuffix(_DEAD)
        if name not in self._names():
            raise NotFound
        return name
