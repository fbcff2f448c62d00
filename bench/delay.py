"""A network between a program and its database: `python -m bench.delay 5432 0.5`.

A process of its own, so that it takes no time from either. Whatever a client sends arrives so
many milliseconds later; that is a round trip's worth, since replies come at once. Prints the port
it stands on and ends with its standard input.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_PIECE = 1 << 16
_SPUN_SECONDS = 0.0003


def wait(seconds: float) -> None:
    """Wait to the microsecond: sleeping alone is too coarse."""
    end = time.perf_counter() + seconds
    if seconds > _SPUN_SECONDS:
        time.sleep(seconds - _SPUN_SECONDS)
    while time.perf_counter() < end:
        pass


def pump(source: socket.socket, target: socket.socket, seconds: float) -> None:
    """Hand on what comes from one end, after a while, until that end is closed."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            if seconds:
                wait(seconds)
            target.sendall(piece)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def serve(listener: socket.socket, port: int, seconds: float) -> None:
    """Take connections, each to its own at the server."""
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", port))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=pump, args=(client, server, seconds), daemon=True).start()
        threading.Thread(target=pump, args=(server, client, 0), daemon=True).start()


@contextmanager
def between(port: int, milliseconds: float) -> Iterator[int]:
    """The port of a network that stands before a port of this machine."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.delay", str(port), str(milliseconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.stdin.close()


def main() -> None:
    """Stand between until nobody listens any more."""
    port, seconds = int(sys.argv[1]), float(sys.argv[2]) / 1000
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    threading.Thread(target=serve, args=(listener, port, seconds), daemon=True).start()
    sys.stdin.read()
    # Threads that wait for a socket would be waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
