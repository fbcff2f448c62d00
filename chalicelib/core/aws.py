"""AWS: a signer of our own for what a request waits for, boto3 for everything else.

Sending to SQS needs one signed POST; botocore takes 300 ms of a cold start for it. The signature
is AWS Signature Version 4, checked against botocore's in the tests.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from chalicelib.core import clock
from chalicelib.core.errors import NotFound, Unavailable

_ALGORITHM = "AWS4-HMAC-SHA256"
_TIMEOUT_SECONDS = 3


class Credentials(NamedTuple):
    """What a Lambda's environment says of its role."""

    access_key: str
    secret_key: str
    session_token: str | None
    region: str


def credentials() -> Credentials:
    """The role's credentials; Lambda replaces them in the environment of a new process only."""
    environment = os.environ
    return Credentials(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        environment.get("AWS_SESSION_TOKEN"),
        environment.get("AWS_REGION") or environment["AWS_DEFAULT_REGION"],
    )


def signed_headers(  # noqa: PLR0917  what SigV4 signs is that many things
    held: Credentials,
    service: str,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    at: datetime,
) -> dict[str, str]:
    """`headers` with those that sign the request at `at` (real time, UTC)."""
    parts = urlsplit(url)
    stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    sent = {**headers, "Host": parts.netloc, "X-Amz-Date": stamp}
    if held.session_token:
        sent["X-Amz-Security-Token"] = held.session_token
    lowered = sorted((name.lower(), " ".join(value.split())) for name, value in sent.items())
    names = ";".join(name for name, _ in lowered)
    canonical = "\n".join(
        [
            method,
            quote(parts.path or "/", safe="/-_.~"),
            parts.query,
            *(f"{name}:{value}" for name, value in lowered),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = f"{day}/{held.region}/{service}/aws4_request"
    to_sign = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = _signing_key(held.secret_key, day, held.region, service)
    signature = hmac.digest(key, to_sign.encode(), hashlib.sha256).hex()
    sent["Authorization"] = (
        f"{_ALGORITHM} Credential={held.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return sent


@cache
def _signing_key(secret_key: str, *scope: str) -> bytes:
    key = b"AWS4" + secret_key.encode()
    for part in (*scope, "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key


class _Connections(threading.local):
    """The kept-alive connections of this thread, by origin."""

    def __init__(self) -> None:
        self.by_origin: dict[str, http.client.HTTPConnection] = {}


_connections = _Connections()


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    known = _connections.by_origin.get(origin)
    if known is None:
        host, port = parts.hostname or "", parts.port
        known = (
            http.client.HTTPSConnection(
                host, port, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
        )
        _connections.by_origin[origin] = known
    return known


def send_message(queue_url: str, body: str) -> None:
    """Send one message to SQS; Unavailable if it was not taken (the sweep will send it again)."""
    parts = urlsplit(queue_url)
    url = f"{parts.scheme}://{parts.netloc}/"
    data = json.dumps({"QueueUrl": queue_url, "MessageBody": body}).encode()
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "AmazonSQS.SendMessage",
    }
    # A kept-alive connection may have been closed by the other side: the second try opens one.
    for last in (False, True):
        connection = _connection(url)
        signed = signed_headers(credentials(), "sqs", "POST", url, headers, data, clock.real_time())
        try:
            connection.request("POST", "/", body=data, headers=signed)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if last:
                raise Unavailable from error
            continue
        if response.status == http.HTTPStatus.OK:
            return
        raise Unavailable(f"SQS answered {response.status}")


@cache
def client(service: str) -> Any:
    """A boto3 client, imported and made at its first use."""
    import boto3  # noqa: PLC0415  300 ms that only those pay who need it
    from botocore.config import Config as BotoConfig  # noqa: PLC0415  comes with boto3

    retries = BotoConfig(
        retries={"mode": "standard", "max_attempts": 3}, connect_timeout=3, read_timeout=10
    )
    return boto3.client(service, config=retries)


@cache
def secret(name: str) -> str:
    """The value of a secret in Secrets Manager, fetched once a process."""
    value: str = client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    return value


def kms_decrypt(wrapped: str) -> bytes:
    """The key behind base64 text that KMS encrypted."""
    plain: bytes = client("kms").decrypt(CiphertextBlob=base64.b64decode(wrapped))["Plaintext"]
    return plain


def send_mail(sender: str, recipient: str, raw: bytes) -> str:
    """Send a whole MIME message by SES and return its id."""
    sent = client("sesv2").send_email(
        FromEmailAddress=sender,
        Destination={"ToAddresses": [recipient]},
        Content={"Raw": {"Data": raw}},
    )
    identifier: str = sent["MessageId"]
    return identifier


class QueuedMessage(NamedTuple):
    """A message as a queue gave it out; `receipt` is good until it becomes visible again."""

    id: str
    body: str
    receipt: str
    sent_at: datetime
    receives: int


_HELD_SECONDS = 30
_LARGEST_BATCH = 10


def queue_sizes(prefix: str, suffix: str) -> dict[str, int]:
    """About how many messages lie in each queue whose name begins and ends so."""
    sqs, found = client("sqs"), {}
    with _answering(sqs):
        for page in sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix):
            for url in page.get("QueueUrls", []):
                name = url.rpartition("/")[2]
                if name.endswith(suffix):
                    found[name.removeprefix(prefix).removesuffix(suffix)] = _size(sqs, url)
    return found


def look_into(queue_url: str, most: int) -> list[QueuedMessage]:
    """Up to `most` messages of a queue, oldest first, which stay in it; NotFound for no queue.

    They are hidden for a moment while this looks, so two who look at once see parts.
    """
    sqs = client("sqs")
    with _answering(sqs):
        held = _hold(sqs, queue_url, most)
        for batch in _batches(held):
            entries = [
                {"Id": str(at), "ReceiptHandle": one.receipt, "VisibilityTimeout": 0}
                for at, one in enumerate(batch)
            ]
            sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)
    return sorted(held, key=lambda one: one.sent_at)


def move_messages(source_url: str, target_url: str, most: int) -> int:
    """Move up to `most` messages from one queue to another; how many. NotFound for no queue.

    A message leaves the one after it has reached the other: cut off in between, it is in both.
    """
    sqs, moved = client("sqs"), 0
    with _answering(sqs):
        for batch in _batches(_hold(sqs, source_url, most)):
            sent = sqs.send_message_batch(
                QueueUrl=target_url,
                Entries=[{"Id": str(at), "MessageBody": one.body} for at, one in enumerate(batch)],
            )
            done = [{"Id": one["Id"]} for one in sent.get("Successful", [])]
            for one in done:
                one["ReceiptHandle"] = batch[int(one["Id"])].receipt
            if done:
                sqs.delete_message_batch(QueueUrl=source_url, Entries=done)
            moved += len(done)
    return moved


@contextmanager
def _answering(sqs: Any) -> Iterator[None]:
    """What SQS may answer, as our errors."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  comes with boto3

    try:
        yield
    except sqs.exceptions.QueueDoesNotExist as error:
        raise NotFound from error
    except (BotoCoreError, ClientError) as error:
        raise Unavailable from error


def _size(sqs: Any, url: str) -> int:
    name = "ApproximateNumberOfMessages"
    told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return int(told["Attributes"][name])


def _hold(sqs: Any, url: str, most: int) -> list[QueuedMessage]:
    """Receive until nothing comes or there are `most`; each message once."""
    held: dict[str, QueuedMessage] = {}
    while len(held) < most:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(_LARGEST_BATCH, most - len(held)),
            VisibilityTimeout=_HELD_SECONDS,
            WaitTimeSeconds=0,
            AttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        )
        fresh = [_queued(one) for one in answer.get("Messages", [])]
        if not any(one.id not in held for one in fresh):
            break
        held |= {one.id: one for one in fresh}
    return list(held.values())


def _queued(message: dict[str, Any]) -> QueuedMessage:
    told = message["Attributes"]
    return QueuedMessage(
        message["MessageId"],
        message["Body"],
        message["ReceiptHandle"],
        datetime.fromtimestamp(int(told["SentTimestamp"]) / 1000, UTC),
        int(told["ApproximateReceiveCount"]),
    )


def _batches(held: list[QueuedMessage]) -> list[list[QueuedMessage]]:
    return [held[at : at + _LARGEST_BATCH] for at in range(0, len(held), _LARGEST_BATCH)]
