"""Processes of the program that may be killed: forked by a nursery, asked along a socket."""

import base64
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Line
from pathlib import Path
from typing import Any, Self

from tests.faults.kill_tasks import Order, Task
from tests.faults.world import World, world

MASTER_KEY = b"m" * 32
"""What KMS unwraps; the same key as in tests/support/environment.py."""
_ROOT = Path(__file__).parents[2]


class Killed(Exception):
    """The process died while it was asked something; `unnoted`: a mail was sent, and not noted."""

    def __init__(self, point: str, *, unnoted: bool) -> None:
        super().__init__(point)
        self.unnoted = unnoted


class Raised(Exception):
    """What was asked raised an error; the argument says where."""


class Process:
    """A Lambda. `hears` is asked what it sends to queues and by mail, while it does something."""

    def __init__(self, line: Line, hears: dict[str, Callable[..., Any]]) -> None:
        self._line, self._hears = line, hears

    def do(self, task: Task) -> Any:
        """What came of a task; Killed when the process died of it, Raised what it raised."""
        last_words: tuple[str, bool] | None = None
        try:
            self._line.send(task)
            while True:
                what, told = self._line.recv()
                if what == "answer":
                    return told
                if what == "raised":
                    raise Raised(told)
                if what == "dies":
                    last_words = told
                else:
                    self._line.send(self._hears[what](*told))
        except (EOFError, OSError) as end:
            self.end()
            if last_words is None:
                raise RuntimeError("the process ended without being killed") from end
            raise Killed(last_words[0], unnoted=last_words[1]) from end

    def passed(self) -> list[str]:
        """The points it has passed."""
        self._line.send(None)
        _, points = self._line.recv()
        return list(points)

    def end(self) -> None:
        """Ask it nothing more; it ends by itself."""
        self._line.close()


class Nursery:
    """A prepared process from which Lambdas are forked in a moment."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair()
        key = base64.b64encode(MASTER_KEY).decode()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.kill_nursery", str(theirs.fileno())],
            cwd=_ROOT,
            env={**os.environ, "KITH_MASTER_KEY": f"kms:{key}"},
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        if self._orders.recv(16) != b"ready":
            raise RuntimeError("the nursery did not start")

    def fork(self, order: Order, hears: dict[str, Callable[..., Any]]) -> Process:
        """A new Lambda."""
        ours, theirs = socket.socketpair()
        socket.send_fds(self._orders, [pickle.dumps(order)], [theirs.fileno()])
        theirs.close()
        return Process(Line(ours.detach()), hears)

    def __enter__(self) -> Self:
        """The nursery itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it; Lambdas end when nobody asks them any more."""
        self._orders.close()
        self._process.wait(10)


@dataclass
class KillWorld(World):
    """A world whose program runs in processes of its own, which may be killed."""

    nursery: Nursery


@contextmanager
def kill_world() -> Iterator[KillWorld]:
    """The usual world, with a nursery."""
    with world() as here, Nursery() as nursery:
        yield KillWorld(**vars(here), nursery=nursery)
