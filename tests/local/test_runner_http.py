"""The HTTP server: what it reads, what it refuses, how it stops."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from local import http_server
from local.http_server import BadRequest, BodyTooLarge, Request, Response, Server

Ask = Callable[[bytes], bytes]


def echo(request: Request) -> Response:
    if request.path == "/slow":
        time.sleep(0.3)
    told = f"{request.method} {request.path} {request.query} ".encode()
    return Response(200, (("X-Two", "1"), ("X-Two", "2")), told + request.body)


def refuse(refused: BadRequest | BodyTooLarge) -> Response:
    return Response(413 if isinstance(refused, BodyTooLarge) else 400, (), str(refused).encode())


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(0, echo, refuse)
    made.start()
    yield made
    made.stop(1)


@pytest.fixture
def ask(server: Server) -> Ask:
    """Send bytes and read until the server closes, or says nothing for half a second."""

    def asked(sent: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", server.server_address[1])) as client:
            client.settimeout(0.5)
            client.sendall(sent)
            received = b""
            try:
                while piece := client.recv(65536):
                    received += piece
            except TimeoutError:
                pass
            return received

    return asked


def test_keeps_a_connection_for_the_next_request(ask: Ask) -> None:
    one = b"POST /a%2Fb?x=1&x=2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n\xff\x00z"
    answer = ask(one + b"GET /second HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    first, second = answer.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert first.endswith(b"POST /a%2Fb x=1&x=2 \xff\x00z")
    assert first.count(b"X-Two: ") == 2
    assert second.endswith(b"GET /second  ")
    assert b"Connection: close" in second


def test_head_has_the_length_and_no_body(ask: Ask) -> None:
    answer = ask(b"HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    assert b"Content-Length: 9\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nNo colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n folded: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
    ],
)
def test_refuses_what_is_malformed_and_closes(ask: Ask, sent: bytes) -> None:
    answer = ask(sent)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close" in answer


def test_refuses_a_large_body_before_reading_it(ask: Ask) -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"
    answer = ask(head % (http_server.LARGEST_BODY + 1) + b"x" * 100_000)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_asks_for_the_body_of_a_client_that_waits(ask: Ask) -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    assert ask(head + b"ok").startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


def test_a_slow_client_is_dropped(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "_REQUEST_SECONDS", 0.1)
    assert ask(b"GET / HTTP/1.1\r\nHo") == b""


def test_stopping_lets_a_request_under_way_be_answered(server: Server, ask: Ask) -> None:
    answers: list[bytes] = []
    thread = threading.Thread(
        target=lambda: answers.append(ask(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"))
    )
    thread.start()
    time.sleep(0.1)
    server.stop(2)
    thread.join()
    assert b"GET /slow" in answers[0]
    with pytest.raises(OSError, match="refused"):
        ask(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
