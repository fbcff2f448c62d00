"""Somebody to send webhooks to in a test: keeps what came, and answers as it is told."""

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import stripe


@dataclass(frozen=True)
class Webhook:
    """One request: the raw body and its signature header."""

    body: bytes
    signature: str

    def event(self, secret: str) -> Any:
        """The event in it, verified by stripe-python."""
        return stripe.Webhook.construct_event(self.body, self.signature, secret)


class Receiver:
    """Listens at `url`. The answers in `statuses` are given first, then 200 to everything."""

    def __init__(self) -> None:
        self.received: list[Webhook] = []
        self.statuses: list[int] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.receiver = self
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/webhooks/stripe"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def wait_for(self, count: int, timeout: float = 5.0) -> list[Webhook]:
        """What came, once that is `count` requests.

        Raises:
            TimeoutError: when fewer came within `timeout` seconds.
        """
        end = time.monotonic() + timeout
        while len(self.received) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(self.received)} webhooks of {count} came")
            time.sleep(0.002)
        return self.received

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        """Listen within a `with` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop at its end."""
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    receiver: Receiver


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.received.append(Webhook(body, self.headers["Stripe-Signature"]))
        self.send_response_only(receiver.statuses.pop(0) if receiver.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
