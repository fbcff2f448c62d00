"""A TCP proxy before a server: it counts who speaks when, and can lose, hold back and encrypt."""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self
from urllib.parse import urlsplit

_SSL_REQUEST_BYTES = 8
_CHUNK = 1 << 16
_TICK_SECONDS = 0.02
_READY = b"Z\x00\x00\x00\x05I"  # PostgreSQL's last word to somebody who connects


class Proxy:
    """Stands on `port` before `upstream`.

    `turns` counts how often a client spoke after the server had: the round trips on the wire.
    With `tls` it speaks TLS to clients, as PostgreSQL does, and plain text to the server.
    """

    def __init__(self, upstream: tuple[str, int], tls: ssl.SSLContext | None = None) -> None:
        self.upstream = upstream
        self.turns = self.connections = 0
        self._tls = tls
        self._frozen = self._muted = self._stopped = False
        self._silent: set[socket.socket] = set()
        self._lost_reply: bytes | None = None
        self._lost_request: bytes | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        """Begin to take connections."""
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """End every connection."""
        self._stopped = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def url(self, database_url: str) -> str:
        """The same database, through this proxy."""
        parts = urlsplit(database_url)
        login = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{login}@127.0.0.1:{self.port}").geturl()

    def cut(self) -> None:
        """End every connection that is open now."""
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def freeze(self) -> None:
        """Forward nothing any more; connections stay open and silent."""
        self._frozen = True

    def mute(self) -> None:
        """Answer nothing any more but those who connect: what they ask afterwards is not answered."""
        self._muted = True

    def forget(self) -> None:
        """Forward nothing any more on the connections that are open now; others are served."""
        self._silent |= self._open

    def thaw(self) -> None:
        """Serve new connections; those that went silent stay so."""
        self.forget()
        self._frozen = self._muted = False

    def lose_reply_to(self, marker: bytes) -> None:
        """Let the next request with `marker` arrive, and end the connection in place of its reply."""
        self._lost_reply = marker

    def lose_request(self, marker: bytes) -> None:
        """End the connection in place of forwarding the next request with `marker`."""
        self._lost_request = marker

    @contextmanager
    def counting(self) -> Iterator[list[int]]:
        """How many turns happen within: the list's one element, at the end."""
        before, counted = self.turns, [0]
        yield counted
        counted[0] = self.turns - before

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(client)
            server = stack.enter_context(socket.create_connection(self.upstream))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                client.recv(_SSL_REQUEST_BYTES)
                client.sendall(b"S")
                client = stack.enter_context(self._tls.wrap_socket(client, server_side=True))
            self._open |= {client, server}
            stack.callback(self._open.difference_update, {client, server})
            self._pump(client, server)

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        spoke_last: socket.socket | None = None
        lost = greeted = False
        while not self._stopped:
            ready, _, _ = select.select([client, server], [], [], _TICK_SECONDS)
            for source in ready:
                data = source.recv(_CHUNK)
                while isinstance(source, ssl.SSLSocket) and source.pending():
                    data += source.recv(_CHUNK)
                if not data or (source is server and lost):
                    return
                if self._frozen or source in self._silent:
                    continue
                if source is server:
                    if self._muted and greeted:
                        continue
                    greeted = greeted or data.endswith(_READY)
                if source is client:
                    self.turns += spoke_last is not client
                    if self._lost_request is not None and self._lost_request in data:
                        self._lost_request = None
                        return
                    if self._lost_reply is not None and self._lost_reply in data:
                        self._lost_reply, lost = None, True
                spoke_last = source
                (server if source is client else client).sendall(data)
