"""An internet of the tests' own: names, addresses and servers, all in this process."""

import socket
import ssl
import threading
from collections.abc import Callable

from chalicelib.products.marketplace.domains import gateway

PUBLIC = "93.184.215.14"


class Internet(gateway.Network):
    """A DNS and an internet of the test's own. Every connection is to a socket in this process."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.names: dict[str, list[list[str]]] = {}
        self.served: Callable[[str, bytes], bytes] = lambda _host, _request: b""
        self.connected: list[tuple[str, str]] = []

    def texts(self, name: str) -> list[str]:
        """No TXT records, unless the test says otherwise."""
        return self.records.get(name, [])

    def addresses(self, host: str) -> list[str]:
        """What the name resolves to now; the next time it may be something else."""
        told = self.names.get(host, [[]])
        return told.pop(0) if len(told) > 1 else told[0]

    def connect(self, address: str, host: str) -> ssl.SSLSocket:
        """A pair of sockets; a thread answers on the other one."""
        self.connected.append((address, host))
        ours, theirs = socket.socketpair()

        def serve() -> None:
            with theirs:
                request = theirs.recv(65536)
                try:
                    theirs.sendall(self.served(host, request))
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        return ours  # type: ignore[return-value]


def answer(status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    """An answer as a server sends it."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
