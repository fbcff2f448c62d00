"""The AWS services of one machine: S3, SQS, SES, KMS and more, made ready and looked into.

`AWS_ENDPOINT_URL` stands in for the emulator that is started otherwise.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.aws_emulator import CREDENTIALS, Aws, Emulator, own_credentials, read

REGION = CREDENTIALS["AWS_DEFAULT_REGION"]
SENDER_DOMAIN = "kith.example"
DEAD_SUFFIX = "-dead"

_REQUEST_SECONDS = 10
_PARALLEL_CALLS = 4
# The emulator can't forget a mail short of forgetting everything. A mail from this sender says
# that those before it are to be taken for deleted.
_EMPTIED_DOMAIN = "emptied.kith.example"
_EMPTIED_BY = f"mailbox@{_EMPTIED_DOMAIN}"


@dataclass(frozen=True)
class Mail:
    """A mail that was handed to SES. The emulator keeps no headers beyond these."""

    id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    sent_at: datetime


def running(home: Path, port: int | None = None) -> Aws:
    """Start AWS on this machine; the result can be used with `with`, which stops it at the end.

    Args:
        home: the folder of its state and its log.
        port: the port to listen on; None is the one of the last run, or a free one.

    Raises:
        ProcessError, PortTakenError: see `Emulator.start`.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return Aws(endpoint)
    emulator = Emulator(home, port)
    emulator.start()
    return emulator


def provision(
    endpoint: str,
    *,
    queues: Sequence[str],
    buckets: Sequence[str],
    visibility_seconds: int | Mapping[str, int] = 180,
    attempts: int = 5,
    sender_domain: str = SENDER_DOMAIN,
) -> None:
    """Make what isn't there; what is there is left with its content and given these settings.

    Args:
        endpoint: the address of AWS.
        queues: names; each gets a queue for dead letters beside it, `<name>-dead`.
        buckets: names.
        visibility_seconds: how long a message that was received stays hidden, for all queues or
            by name: six times the timeout of the function that works on it, as AWS advises.
        attempts: how often a message is received before it becomes a dead letter.
        sender_domain: the domain that mails may be sent from.
    """
    patience = visibility_seconds
    sqs, s3, ses = (_client(endpoint, each) for each in ("sqs", "s3", "sesv2"))

    def make_queue(name: str) -> None:
        dead = sqs.create_queue(QueueName=f"{name}{DEAD_SUFFIX}")["QueueUrl"]
        account = urlsplit(dead).path.split("/")[1]
        target = f"arn:aws:sqs:{REGION}:{account}:{name}{DEAD_SUFFIX}"
        seconds = patience if isinstance(patience, int) else patience[name]
        redrive = {"deadLetterTargetArn": target, "maxReceiveCount": str(attempts)}
        attributes = {"VisibilityTimeout": str(seconds), "RedrivePolicy": json.dumps(redrive)}
        # Making one anew with other settings is refused, so they are set by a call of their own.
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)

    def make_bucket(name: str) -> None:
        s3.create_bucket(Bucket=name)

    def make_identity(domain: str) -> None:
        try:
            ses.create_email_identity(EmailIdentity=domain)
        except ses.exceptions.AlreadyExistsException:
            return

    with ThreadPoolExecutor(_PARALLEL_CALLS) as pool:
        work = [pool.submit(make_queue, each) for each in queues]
        work += [pool.submit(make_bucket, each) for each in buckets]
        work += [pool.submit(make_identity, each) for each in (sender_domain, _EMPTIED_DOMAIN)]
        for each in work:
            each.result()


def outbox_mails(endpoint: str) -> list[Mail]:
    """The mails that were handed to the emulator since it started, or was emptied; oldest first."""
    answer = read(endpoint, "/_ministack/ses/messages")
    found = sorted(
        (each for account in answer["messages"].values() for each in account),
        key=lambda each: float(each["Timestamp"]),
    )
    senders = [each["Source"] for each in found]
    first = len(senders) - senders[::-1].index(_EMPTIED_BY) if _EMPTIED_BY in senders else 0
    return [_mail(each) for each in found[first:]]


def empty(endpoint: str) -> None:
    """Delete the messages of every queue and the mails, for the next test. Objects stay."""
    answer = read(endpoint, "/_ministack/sqs/messages")
    for url in _queues_with_messages(answer):
        _client(endpoint, "sqs").purge_queue(QueueUrl=url)
    if outbox_mails(endpoint):
        _client(endpoint, "sesv2").send_email(
            FromEmailAddress=_EMPTIED_BY,
            Destination={"ToAddresses": [_EMPTIED_BY]},
            Content={"Simple": {"Subject": {"Data": "-"}, "Body": {"Text": {"Data": "-"}}}},
        )


def _queues_with_messages(answer: dict[str, Any]) -> Iterator[str]:
    for regions in answer["messages"].values():
        for queues in regions.values():
            yield from (url for url, messages in queues.items() if messages)


def _mail(record: dict[str, Any]) -> Mail:
    return Mail(
        id=record["MessageId"],
        sender=record["Source"],
        recipients=(*record["To"], *record["CC"], *record["BCC"]),
        subject=record["Subject"],
        text=record["BodyText"] or "",
        html=record["BodyHtml"] or "",
        sent_at=datetime.fromtimestamp(record["Timestamp"], UTC),
    )


@cache
def _client(endpoint: str, service: str) -> Any:
    """An SDK client, kept: making one takes longer than all its calls here."""
    import boto3  # noqa: PLC0415 - half a second that `make help` need not wait for
    from botocore.config import Config  # noqa: PLC0415

    credentials = CREDENTIALS if urlsplit(endpoint).hostname == "127.0.0.1" else own_credentials()
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        config=Config(
            # A proxy for the internet has no business on the loopback.
            proxies={},
            retries={"total_max_attempts": 2},
            max_pool_connections=_PARALLEL_CALLS,
            connect_timeout=_REQUEST_SECONDS,
            read_timeout=_REQUEST_SECONDS,
            s3={"addressing_style": "path"},
        ),
    )
