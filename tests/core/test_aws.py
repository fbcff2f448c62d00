"""AWS: our signatures are botocore's to the byte, and a message is sent or its loss is told."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.auth
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core import aws
from chalicelib.core.aws import Credentials, credentials, send_message, signed_headers
from chalicelib.core.errors import Unavailable
from local import aws as local_aws
from local import paths

AT = datetime(2026, 11, 20, 9, 8, 7, tzinfo=UTC)
SQS = "https://sqs.eu-central-1.amazonaws.com/"
HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "AmazonSQS.SendMessage",
}


def held(token: str | None = None) -> Credentials:
    return Credentials(
        "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token, "eu-central-1"
    )


def botocores(
    *,
    monkeypatch: pytest.MonkeyPatch,
    who: Credentials,
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
) -> dict[str, str]:
    """The headers that botocore sends."""
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: AT.replace(tzinfo=None))
    known = BotoCredentials(who.access_key, who.secret_key, who.session_token)
    request = AWSRequest(method=method, url=url, headers=headers, data=body)
    SigV4Auth(known, "sqs", who.region).add_auth(request)
    return dict(request.headers.items())


@pytest.mark.parametrize("token", [None, "IQoJb3JpZ2luX2VjEAAaDGV1/+=="])
@pytest.mark.parametrize("body", [b"", b"{}", '{"MessageBody": "São ✓"}'.encode(), b"x" * 100_000])
@pytest.mark.parametrize(
    "url",
    [
        SQS,
        "https://sqs.eu-central-1.amazonaws.com",
        "http://127.0.0.1:4566/",
        "https://sqs.eu-central-1.amazonaws.com/000000000000/kith-billing",
        "https://example.com/a%20b/c~d",
    ],
)
def test_a_signature_is_botocores(
    monkeypatch: pytest.MonkeyPatch, url: str, body: bytes, token: str | None
) -> None:
    ours = signed_headers(held(token), "sqs", "POST", url, HEADERS, body, AT)
    theirs = botocores(
        monkeypatch=monkeypatch,
        who=held(token),
        method="POST",
        url=url,
        headers=HEADERS,
        body=body,
    )
    assert ours["Authorization"] == theirs["Authorization"]
    assert ours.get("X-Amz-Security-Token") == theirs.get("X-Amz-Security-Token")
    assert ours["X-Amz-Date"] == theirs["X-Amz-Date"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, database=None)
@given(
    body=st.binary(max_size=50),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
)
def test_any_body_and_header_is_signed_as_botocore_does(
    monkeypatch: pytest.MonkeyPatch, body: bytes, value: str, method: str
) -> None:
    headers = {**HEADERS, "X-Amz-Meta-Note": value}
    ours = signed_headers(held(), "sqs", method, SQS, headers, body, AT)
    theirs = botocores(
        monkeypatch=monkeypatch,
        who=held(),
        method=method,
        url=SQS,
        headers=headers,
        body=body,
    )
    assert ours["Authorization"] == theirs["Authorization"]


def test_whatever_is_signed_counts() -> None:
    base = signed_headers(held(), "sqs", "POST", SQS, HEADERS, b"{}", AT)["Authorization"]
    others = [
        signed_headers(held(), "sqs", "GET", SQS, HEADERS, b"{}", AT),
        signed_headers(held(), "s3", "POST", SQS, HEADERS, b"{}", AT),
        signed_headers(held(), "sqs", "POST", SQS + "x", HEADERS, b"{}", AT),
        signed_headers(held(), "sqs", "POST", SQS, HEADERS | {"X-Amz-Target": "x"}, b"{}", AT),
        signed_headers(held(), "sqs", "POST", SQS, HEADERS, b"{ }", AT),
        signed_headers(held("t"), "sqs", "POST", SQS, HEADERS, b"{}", AT),
        signed_headers(held(), "sqs", "POST", SQS, HEADERS, b"{}", AT.replace(day=21)),
        signed_headers(held()._replace(secret_key="x"), "sqs", "POST", SQS, HEADERS, b"{}", AT),
    ]
    assert len({base, *(one["Authorization"] for one in others)}) == 9


def test_credentials_are_those_of_the_lambdas_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_REGION": "sa-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    assert credentials() == Credentials("id", "secret", "token", "sa-east-1")
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    monkeypatch.delenv("AWS_REGION")
    assert credentials() == Credentials("id", "secret", None, "us-east-1")


class Queue:
    """A server that answers each request by the next of `plan`, or hangs up where it says None."""

    def __init__(self, listener: socket.socket, plan: list[int | None]) -> None:
        self._listener, self._plan = listener, plan
        self.bodies: list[dict[str, Any]] = []
        self.connections = 0
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/000000000000/kith-billing"

    def serve(self) -> None:
        """Take connections until the listener is shut down."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                with client, client.makefile("rb") as stream:
                    while self._answer(client, stream):
                        pass

    def _answer(self, client: socket.socket, stream: Any) -> bool:
        lines = iter(lambda: stream.readline().decode().strip(), "")
        headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        if not headers:
            return False
        self.bodies.append(json.loads(stream.read(int(headers["content-length"]))))
        status = self._plan.pop(0) if self._plan else 200
        if status is None:
            return False
        client.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        # A negative wish: answer, and hang up before the next one.
        return not (self._plan and self._plan[0] == -1 and self._plan.pop(0))


@pytest.fixture
def queue() -> Iterator[Callable[..., Queue]]:
    """Servers by plan."""
    with contextlib.ExitStack() as stack:

        def build(*plan: int | None) -> Queue:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            made = Queue(listener, list(plan))
            thread = threading.Thread(target=made.serve, daemon=True)
            stack.callback(thread.join, 2)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            stack.callback(close_connections)
            thread.start()
            return made

        yield build


def close_connections() -> None:
    kept = aws._connections.by_origin  # noqa: SLF001  a process keeps them for good
    for connection in kept.values():
        connection.close()
    kept.clear()


def test_one_connection_serves_many_messages(queue: Callable[..., Queue]) -> None:
    made = queue()
    for number in range(5):
        send_message(made.url, f"message {number}")
    assert [body["MessageBody"] for body in made.bodies] == [f"message {n}" for n in range(5)]
    assert {body["QueueUrl"] for body in made.bodies} == {made.url}
    assert made.connections == 1


def test_a_kept_connection_that_the_other_side_dropped_is_opened_again(
    queue: Callable[..., Queue],
) -> None:
    made = queue(200, -1, 200)
    send_message(made.url, "first")
    send_message(made.url, "second")
    assert [body["MessageBody"] for body in made.bodies] == ["first", "second"]
    assert made.connections == 2


def test_a_request_that_is_cut_off_is_sent_once_more(queue: Callable[..., Queue]) -> None:
    made = queue(None, 200)
    send_message(made.url, "x")
    assert [body["MessageBody"] for body in made.bodies] == ["x", "x"]


def test_a_queue_that_keeps_hanging_up_is_told_of(queue: Callable[..., Queue]) -> None:
    made = queue(None, None, 200)
    with pytest.raises(Unavailable):
        send_message(made.url, "lost")
    assert len(made.bodies) == 2
    send_message(made.url, "next")


@pytest.mark.parametrize("status", [400, 403, 500, 503, 302])
def test_a_refusal_is_told_of_and_spoils_no_later_message(
    queue: Callable[..., Queue], status: int
) -> None:
    made = queue(status, 200)
    with pytest.raises(Unavailable, match=str(status)):
        send_message(made.url, "refused")
    send_message(made.url, "taken")
    assert [body["MessageBody"] for body in made.bodies] == ["refused", "taken"]
    assert made.connections == 1


def test_a_queue_that_is_down_is_told_of(queue: Callable[..., Queue]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unavailable):
        send_message(f"http://127.0.0.1:{port}/000000000000/x", "lost")
    close_connections()


def test_a_queue_that_says_nothing_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "_TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(Unavailable):
            send_message(f"http://127.0.0.1:{port}/000000000000/x", "lost")
    close_connections()


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The AWS emulator; the URL of a queue in it."""
    if not (paths.AWS_ENVIRONMENT / "bin" / "python").exists():
        pytest.skip("the AWS emulator is not installed")
    with local_aws.running(Path(tmp_path_factory.mktemp("aws"))) as running:
        local_aws.provision(running.endpoint_url, queues=["kith-tests"], buckets=[])
        yield f"{running.endpoint_url}/000000000000/kith-tests"
        close_connections()


def received(url: str) -> list[str]:
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    sqs = local_aws._client(origin, "sqs")  # noqa: SLF001  with the emulator's own keys
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [message["Body"] for message in found]


def test_a_message_arrives_as_it_was_sent(emulator: str) -> None:
    body = json.dumps({"topic": "é ✓", "payload": {"a": "\u2028<&>"}})
    send_message(emulator, body)
    assert received(emulator) == [body]


def test_a_message_to_a_queue_that_does_not_exist_is_told_of(emulator: str) -> None:
    with pytest.raises(Unavailable, match="400"):
        send_message(emulator + "-not", "x")
