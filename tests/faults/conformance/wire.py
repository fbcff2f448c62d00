"""Bytes that are no request, or several, to the server on this machine."""

import json
import random
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from chalice.app import Chalice

from local import gateway
from local.gateway import Gateway
from local.http_server import Server

_PATIENCE_SECONDS = 5.0
_HEAD = re.compile(rb"HTTP/1\.1 ([0-9]{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")


class Reply(NamedTuple):
    """One answer of a server."""

    status: int
    headers: dict[str, str]
    body: bytes


class NoAnswer(Exception):
    """What came back is no answer, or the connection stayed open."""


@contextmanager
def listening(app: Chalice) -> Iterator[tuple[str, int]]:
    """The server that `make run` has, at a port of its own."""
    answers = Gateway(app, threads=1)
    server = Server(0, answers.answer, gateway.refuse)
    server.start()
    try:
        yield server.server_address[:2]  # type: ignore[misc]
    finally:
        server.stop(patience=1.0)
        answers.stop()


def said(address: tuple[str, int], raw: bytes) -> list[Reply]:
    """All that is answered to bytes after which nothing more comes."""
    with socket.create_connection(address, timeout=_PATIENCE_SECONDS) as line:
        with suppress(ConnectionError):
            line.sendall(raw)
            line.shutdown(socket.SHUT_WR)
        pieces = []
        try:
            while piece := line.recv(65536):
                pieces.append(piece)
        except TimeoutError as error:
            raise NoAnswer("the connection stays open") from error
        except ConnectionError:
            pass
    return list(_replies(b"".join(pieces)))


def _replies(told: bytes) -> Iterator[Reply]:
    at = 0
    while at < len(told):
        found = _HEAD.match(told, at)
        if found is None:
            raise NoAnswer(f"this is no answer: {told[at : at + 80]!r}")
        lines = found[2].decode("latin-1").splitlines()
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
        size = int(headers.get("content-length", "0"))
        at = found.end() + size
        status = int(found[1])
        if status != 100:
            yield Reply(status, headers, told[found.end() : at])


_HOST = b"Host: 127.0.0.1\r\n"
_JSON = _HOST + b"Content-Type: application/json\r\n"
_BODY = b'{"email":"ana@example.com"}'
_LONG = b"Content-Length: 27\r\n"
_POST = b"POST /v1/auth/password_resets HTTP/1.1\r\n"
GOOD = (
    b"GET /v1/billing/prices?product=marketplace HTTP/1.1\r\n" + _HOST + b"\r\n",
    _POST + _JSON + _LONG + b"\r\n" + _BODY,
    b"GET /v1/me HTTP/1.1\r\n" + _HOST + b"Authorization: Bearer a.b.c\r\nAccept: */*\r\n\r\n",
    b"OPTIONS /v1/me HTTP/1.1\r\n" + _HOST + b"Origin: http://a\r\n\r\n",
    b"GET /v1/marketplace/posts?limit=2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
)
_SECOND = b"GET /v1/me HTTP/1.1\r\n" + _HOST + b"\r\n"

# Each is refused, once, and nothing after it is taken for another request.
REFUSED: dict[str, bytes] = {
    "nothing but a line": b"\r\n\r\nhello\r\n\r\n",
    "binary": bytes(range(256)) * 4,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /v1/me\r\n\r\n",
    "HTTP/1.2": b"GET /v1/me HTTP/1.2\r\n" + _HOST + b"\r\n",
    "lower case": b"get /v1/me HTTP/1.1\r\n" + _HOST + b"\r\n",
    "a long method": b"A" * 40 + b" / HTTP/1.1\r\n" + _HOST + b"\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\n" + _HOST + b"\r\n",
    "a tunnel": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + _HOST + b"\r\n",
    "spaces in the path": b"GET /v1/me x HTTP/1.1\r\n" + _HOST + b"\r\n",
    "NUL in the path": b"GET /v1/\x00 HTTP/1.1\r\n" + _HOST + b"\r\n",
    "not ASCII in the path": b"GET /v1/\xc3\xa9 HTTP/1.1\r\n" + _HOST + b"\r\n",
    "no host": b"GET /v1/me HTTP/1.1\r\n\r\n",
    "a header without a name": b"GET /v1/me HTTP/1.1\r\n" + _HOST + b": x\r\n\r\n",
    "a header without a colon": b"GET /v1/me HTTP/1.1\r\n" + _HOST + b"x\r\n\r\n",
    "a space before the colon": _POST + _JSON + b"Content-Length : 27\r\n\r\n" + _BODY,
    "a folded header": b"GET /v1/me HTTP/1.1\r\n" + _HOST + b"X: a\r\n b\r\n\r\n",
    "NUL in a header": b"GET /v1/me HTTP/1.1\r\n" + _HOST + b"X: a\x00b\r\n\r\n",
    "a bare return": b"GET /v1/me HTTP/1.1\r\n" + _HOST + b"X: a\rY: b\r\n\r\n",
    "headers without end": b"GET /v1/me HTTP/1.1\r\n" + b"X: y\r\n" * 9_000,
    "one long header": b"GET /v1/me HTTP/1.1\r\n" + _HOST + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    "a long path": b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n" + _HOST + b"\r\n",
    "cut off within headers": b"GET /v1/me HTTP/1.1\r\n" + _HOST,
    "a body cut off": _POST + _JSON + b"Content-Length: 900\r\n\r\n" + _BODY,
    "a length below nothing": _POST + _JSON + b"Content-Length: -1\r\n\r\n" + _SECOND,
    "a length with a sign": _POST + _JSON + b"Content-Length: +27\r\n\r\n" + _BODY,
    "a length in hexadecimal": _POST + _JSON + b"Content-Length: 0x1b\r\n\r\n" + _BODY,
    "a length with a comma": _POST + _JSON + b"Content-Length: 27, 27\r\n\r\n" + _BODY,
    "a length that is none": _POST + _JSON + b"Content-Length: \r\n\r\n" + _BODY,
    "lengths that differ": _POST + _JSON + _LONG + b"Content-Length: 0\r\n\r\n" + _BODY,
    "the same length twice": _POST + _JSON + _LONG + _LONG + b"\r\n" + _BODY,
    "11 MB": _POST + _JSON + b"Content-Length: 11534336\r\n\r\n",
    "a length of 30 digits": _POST + _JSON + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n",
    "chunks": _POST + _JSON + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _SECOND,
    "a length and chunks": _POST + _JSON + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _SECOND,
    "chunks and a length": _POST + _JSON + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + _SECOND,
    "chunks, disguised": _POST + _JSON + b"Content-Length: 5\r\nTransfer-encoding:\tchunked, identity\r\n\r\n0\r\n\r\n" + _SECOND,
}  # fmt: skip


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """A request with a few of its bytes changed, dropped, doubled, moved or cut off."""
    told = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randrange(len(told) or 1), chance.randint(1, 12)
        match chance.randrange(6):
            case 0:
                told[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del told[at : at + size]
            case 2:
                told[at:at] = told[at : at + size]
            case 3:
                told[at:at] = chance.choice(_PIECES)
            case 4:
                del told[at + size * 8 :]
            case _:
                told += chance.choice(GOOD)
    return bytes(told)


_PIECES = (b"\r\n", b"\n", b"\r", b"\x00", b"\xff", b" ", b"\t", b":", b"%", b"%00", b"%zz", b"..", b"//", b"?", b"#", b";", b"[", b"\\", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"HTTP/1.1", b"Expect: 100-continue\r\n")  # fmt: skip


def wrong(replies: list[Reply]) -> Iterator[str]:
    """What is wrong with answers to nonsense."""
    for one in replies:
        if one.status >= 500:
            yield f"answers {one.status}: {one.body[:120]!r}"
        if one.status >= 400 and one.body:
            told = json.loads(one.body)
            kind = one.headers.get("content-type")
            if kind != "application/problem+json" or told["status"] != one.status:
                yield f"refuses as {kind}: {one.body[:120]!r}"
