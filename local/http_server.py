"""HTTP/1.1 on 127.0.0.1: requests read strictly and within limits, connections kept alive.

One thread a connection does the reading and writing; what the answer is, somebody else says.
"""

import contextlib
import io
import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

LOOPBACK = "127.0.0.1"
LARGEST_BODY = 10 * 1024 * 1024
_LARGEST_HEAD = 32 * 1024
_IDLE_SECONDS = 75.0
_REQUEST_SECONDS = 20.0
_FAREWELL_SECONDS = 1.0
_POLL_SECONDS = 0.02
_MOST_CONNECTIONS = 256

_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) (?:https?://[^/?# ]+)?(/[\x21-\x7e]*) HTTP/1\.([01])")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_LENGTH = re.compile(r"[0-9]{1,15}")
_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}


@dataclass(frozen=True)
class Request:
    """A request as it came: the path still percent-encoded, header names in lower case."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_address: str

    def header(self, name: str) -> str:
        """A header's last value; empty without one."""
        return dict(self.headers).get(name, "")


@dataclass(frozen=True)
class Response:
    """An answer; its length and date are added as it goes out."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class BadRequest(Exception):
    """What came is no request that is taken here; the message says why."""


class BodyTooLarge(Exception):
    """The body passes `LARGEST_BODY`; it was not read."""


Answer = Callable[[Request], Response]
Refuse = Callable[[BadRequest | BodyTooLarge], Response]


class Server(socketserver.ThreadingTCPServer):
    """Serves on a port of 127.0.0.1 from `start` to `stop`.

    `answer` is called for each request, in the connection's thread; `refuse` says what goes out
    before a connection is closed because of what came in.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, answer: Answer, refuse: Refuse) -> None:
        super().__init__((LOOPBACK, port), _Connection)
        self.answer, self.refuse = answer, refuse
        self.stopping = threading.Event()
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._busy = 0
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, name="http"
        )

    def start(self) -> None:
        """Take connections."""
        self._thread.start()

    def stop(self, patience: float) -> None:
        """Take no more, give requests under way `patience` seconds, and hang up."""
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._changed:
            self._changed.wait_for(lambda: self._busy == 0, patience)
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def verify_request(self, *_: object) -> bool:
        """Whether there is room for one more connection."""
        return len(self._open) < _MOST_CONNECTIONS

    def handle_error(self, *_: object) -> None:
        """A client that went away is no news."""

    @contextlib.contextmanager
    def connected(self, connection: socket.socket) -> Iterator[None]:
        """Know a connection while it lasts."""
        with self._changed:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._changed:
                self._open.discard(connection)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Count a request while it is under way."""
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()


class _Timed(io.RawIOBase):
    """Reads a socket up to a deadline, so that a client can't hold a thread byte by byte."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self.deadline = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class _Connection(socketserver.BaseRequestHandler):
    """A connection: request after request until one side has had enough."""

    server: Server
    request: socket.socket

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._timed = _Timed(self.request)
        self._stream = io.BufferedReader(self._timed)
        with self.server.connected(self.request), contextlib.suppress(OSError):
            while self._one():
                pass

    def _one(self) -> bool:
        """Take one request and answer it; whether the connection goes on."""
        self._timed.deadline = time.monotonic() + _IDLE_SECONDS
        if self.server.stopping.is_set() or not self._stream.peek(1):
            return False
        self._timed.deadline = time.monotonic() + _REQUEST_SECONDS
        with self.server.working():
            try:
                request, keeps = self._read()
            except (BadRequest, BodyTooLarge) as refused:
                self._write(self.server.refuse(refused), keeps=False, with_body=True)
                self._say_farewell()
                return False
            response = self.server.answer(request)
            keeps = keeps and not self.server.stopping.is_set()
            self._write(response, keeps=keeps, with_body=request.method != "HEAD")
        return keeps

    def _read(self) -> tuple[Request, bool]:
        """The next request, and whether the client wants the connection kept."""
        lines = self._head()
        found = _REQUEST_LINE.fullmatch(lines[0]) if lines else None
        if found is None:
            raise BadRequest("this is not an HTTP/1.1 request")
        headers = []
        for line in lines[1:]:
            header = _HEADER.fullmatch(line)
            if header is None:
                raise BadRequest("a header is malformed")
            headers.append((header[1].decode().lower(), header[2].decode("latin-1").rstrip()))
        told = dict(headers)
        modern = found[3] == b"1"
        if modern and "host" not in told:
            raise BadRequest("the Host header is missing")
        body = self._body(headers, told, modern=modern)
        path, _, query = found[2].decode().partition("#")[0].partition("?")
        request = Request(
            found[1].decode(), path, query, tuple(headers), body, str(self.client_address[0])
        )
        wishes = told.get("connection", "").lower()
        return request, ("close" not in wishes) if modern else ("keep-alive" in wishes)

    def _head(self) -> list[bytes]:
        """The lines before the body, without their ends."""
        lines: list[bytes] = []
        left = _LARGEST_HEAD
        while True:
            line = self._stream.readline(left)
            left -= len(line)
            if not line.endswith(b"\n"):
                raise BadRequest(f"more than {_LARGEST_HEAD:,} bytes of headers, or cut off")
            line = line.rstrip(b"\r\n")
            if line:
                lines.append(line)
            elif lines:
                return lines

    def _body(self, headers: list[tuple[str, str]], told: dict[str, str], *, modern: bool) -> bytes:
        lengths = [value for name, value in headers if name == "content-length"]
        if "transfer-encoding" in told:
            raise BadRequest("send the body with a Content-Length, not in chunks")
        if not lengths:
            return b""
        if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
            raise BadRequest("the Content-Length is malformed")
        length = int(lengths[0])
        if length > LARGEST_BODY:
            raise BodyTooLarge
        if modern and told.get("expect", "").lower() == "100-continue":
            self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._stream.read(length)
        if len(body) < length:
            raise BadRequest("the body was cut off")
        return body

    def _write(self, response: Response, *, keeps: bool, with_body: bool) -> None:
        status = HTTPStatus(response.status)
        lines = [f"HTTP/1.1 {status.value} {status.phrase}", f"Date: {formatdate(usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        if status not in _WITHOUT_BODY:
            lines.append(f"Content-Length: {len(response.body)}")
        if not keeps:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.request.settimeout(_REQUEST_SECONDS)
        # In one piece: a second one would wait for the first to be acknowledged.
        self.request.sendall(head + response.body if with_body else head)

    def _say_farewell(self) -> None:
        """Let the answer arrive: closing on bytes that were not read would cut it off."""
        self.request.shutdown(socket.SHUT_WR)
        self._timed.deadline = time.monotonic() + _FAREWELL_SECONDS
        while self._stream.read1(65536):
            pass
