"""The fake over HTTP on 127.0.0.1, and how a test starts one in its own process."""

import socket
import struct
import threading
import time
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from local.stripe import api, control
from local.stripe.fake import Fake, Settings
from local.stripe.messages import Request, Response, error_body, json_response
from local.stripe.pages import checkout, overview

_LOOPBACK = "127.0.0.1"
_HOSTS = {_LOOPBACK, "localhost"}
_LARGEST_BODY = 1024 * 1024
_POLL_SECONDS = 0.05
_ABORT = struct.pack("ii", 1, 0)


class Running(control.Control):
    """A fake that serves at `url` until it is stopped, with everything `Control` can do to it."""

    def __init__(self, settings: Settings) -> None:
        self._server = _Server(settings)
        super().__init__(self._server.fake)
        self.url = self._server.fake.url
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": _POLL_SECONDS},
            name="stripe-server",
        )
        self._thread.start()
        self._server.fake.deliveries.start()

    def stop(self) -> None:
        """Stop serving and delivering; every connection is closed, every thread has ended."""
        self._server.fake.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()
        self._server.fake.stop()

    def __enter__(self) -> Self:
        """Serve within a `with` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop at its end."""
        self.stop()


def serve(settings: Settings) -> Running:
    """Start a fake in this process, on a free port unless the settings name one.

    Raises:
        OSError: when the port is taken.
    """
    return Running(settings)


class _Server(ThreadingHTTPServer):
    """Knows its open connections, so that stopping doesn't wait for idle clients."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, settings: Settings) -> None:
        super().__init__((_LOOPBACK, settings.port), _Handler)
        try:
            self.fake = Fake(settings, f"http://{_LOOPBACK}:{self.server_port}")
        except BaseException:
            self.server_close()
            raise
        self.control = control.Control(self.fake)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def hang_up(self) -> None:
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # gone already

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news; anything else reached the log in `_Handler`."""

    def answer(self, request: Request) -> Response:
        """Find who answers an address."""
        if request.path.startswith("/v1/"):
            return api.answer(self.fake, request)
        if _is_foreign(request):
            body = error_body("invalid_request_error", "Only pages of this server may ask that.")
            return json_response(HTTPStatus.FORBIDDEN, body)
        if request.path.startswith("/_control/"):
            return control.answer(self.control, request)
        return _page(self.fake, request)


def _page(fake: Fake, request: Request) -> Response:
    """The page at an address, or a 404."""
    match request.method, request.path.strip("/").split("/"):
        case "GET", [""]:
            return overview.show(fake)
        case "POST", ["events", event, "send"]:
            return overview.send_again(fake, event)
        case "GET", ["pay", session]:
            return checkout.show(fake, session)
        case "POST", ["pay", session]:
            return checkout.press(fake, session, request)
        case "GET", ["pay", session, "pix.svg"]:
            return checkout.pix_image(fake, session)
    body = error_body("invalid_request_error", f"Nothing is at {request.path}.")
    return json_response(HTTPStatus.NOT_FOUND, body)


def _is_foreign(request: Request) -> bool:
    """Whether some other site's page makes a browser ask: by a form or script of its own, or under
    a name that was pointed at this machine.
    """
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    crosses = request.headers.get("sec-fetch-site") == "cross-site"
    return host not in _HOSTS or (crosses and request.method != "GET")


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, writes its answer in one piece, keeps the connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def _answer(self) -> None:
        started = time.perf_counter()
        address = urlsplit(self.path)
        body = self._body()
        if isinstance(body, Response):
            self.close_connection = True
            self._send(body)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, address.path, address.query, headers, body)
        try:
            response = self.server.answer(request)
        except Exception:  # noqa: BLE001 - whatever went wrong, the client gets an answer
            self.server.fake.settings.log(traceback.format_exc())
            failure = error_body("api_error", "The local fake of Stripe failed; its log says why.")
            response = json_response(HTTPStatus.INTERNAL_SERVER_ERROR, failure)
        self._send(response)
        milliseconds = (time.perf_counter() - started) * 1000
        outcome = "hung up" if response.hangs_up else response.status
        self.server.fake.settings.log(
            f"stripe {self.command} {address.path} {outcome} {milliseconds:.1f} ms"
        )

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names http.server calls

    def _body(self) -> bytes | Response:
        """The request's body, or the answer to one that can't be read."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            status, message = HTTPStatus.LENGTH_REQUIRED, "A Content-Length is required."
        elif int(length) > _LARGEST_BODY:
            status, message = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large."
        else:
            return self.rfile.read(int(length))
        return json_response(status, error_body("invalid_request_error", message))

    def _send(self, response: Response) -> None:
        if response.hangs_up:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            self.connection.close()
            return
        self.send_response_only(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(response.body)
        self.wfile.flush()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing twice: `_answer` logs."""
