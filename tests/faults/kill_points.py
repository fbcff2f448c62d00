"""Where a process can be killed: before, amid and after whatever it says to somebody else.

Nobody lists the points: they are found by hooks on the driver and on every provider's client, so
that new code has its own.
"""

import os
import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any

from chalicelib.core.driver import COMMIT, Driver, Group, Reply

PROVIDERS = {
    "chalicelib.core.aws:send_message": "queue",
    "chalicelib.core.aws:send_mail": "mail",
    "chalicelib.core.aws:kms_decrypt": "kms",
    "stripe:RequestsClient.request": "stripe",
    "chalicelib.products.marketplace.domains.gateway:network.texts": "domain",
    "chalicelib.products.marketplace.domains.gateway:network.addresses": "domain",
    "chalicelib.products.marketplace.domains.gateway:network.connect": "domain",
}
"""Each function by which the program talks to a provider, and what its points are called."""


class Points:
    """Counts the points a process passes, and kills it at one of them; 0 is never reached."""

    def __init__(self, kill_at: int, farewell: Callable[[str], None]) -> None:
        self._kill_at, self._farewell = kill_at, farewell
        self.passed: list[str] = []

    def reach(self, point: str) -> None:
        """Pass a point, or die there, having said where."""
        self.passed.append(point)
        if len(self.passed) == self._kill_at:
            self._farewell(point)
            os.kill(os.getpid(), signal.SIGKILL)


def watch(points: Points) -> None:
    """Have everything that this process says to others pass points, from now on."""
    _watch_database(points)
    for place, what in PROVIDERS.items():
        module, _, path = place.partition(":")
        owner: Any = import_module(module)
        *within, name = path.split(".")
        for one in within:
            owner = getattr(owner, one)
        setattr(owner, name, _watched(points, getattr(owner, name), what))


def _watched(points: Points, call: Callable[..., Any], what: str) -> Callable[..., Any]:
    def watched(*given: Any, **named: Any) -> Any:
        points.reach(f"before {what}")
        answer = call(*given, **named)
        points.reach(f"after {what}")
        return answer

    return watched


def _watch_database(points: Points) -> None:
    """Points before a flush is sent, while its replies are awaited, and after those of a COMMIT.

    After any other reply nothing has happened until the next thing is said, which has its point.
    """
    exchange, receive = Driver.exchange, Driver._receive  # noqa: SLF001  sent, and nothing read yet
    waiting: list[str] = []

    def exchanged(self: Driver, groups: list[Group]) -> list[list[Reply]]:
        commits = any(COMMIT in group for group in groups)
        what = "commit" if commits else "statement"
        points.reach(f"before {what}")
        waiting[:] = [what]
        replies = exchange(self, groups)
        if commits:
            points.reach(f"after {what}")
        return replies

    def received(self: Driver, calls: Any) -> Any:
        if waiting:
            points.reach(f"amid {waiting.pop()}")
        return receive(self, calls)

    patched: Any = Driver
    patched.exchange, patched._receive = exchanged, received  # noqa: SLF001  see above
