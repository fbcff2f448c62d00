"""A request that is cut off at any one point where it speaks with the database.

Point 1 is before the first thing said, point 2 after it was answered, point 3 before the second …
Between two of them lies whatever else a request does, such as a call to Stripe.
"""

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from chalicelib.core import db
from chalicelib.core.driver import ConnectionLost, Driver, Group, Reply
from chalicelib.kernel.billing import gateway
from tests.faults.world import replaced

_PATIENCE_SECONDS = 30


@contextmanager
def at_point(number: int, happens: Callable[[Driver], None]) -> Iterator[list[int]]:
    """Let something happen at a point; the list's one element is how many points there were."""
    passed = [0]
    points = itertools.count(1)
    exchange = Driver.exchange

    def interrupted(driver: Driver, groups: Sequence[Group]) -> list[list[Reply]]:
        pass_point(driver)
        replies = exchange(driver, groups)
        pass_point(driver)
        return replies

    def pass_point(driver: Driver) -> None:
        passed[0] = next(points)
        if passed[0] == number:
            happens(driver)

    with replaced(Driver, "exchange", interrupted):
        yield passed


def fail(_driver: Driver) -> None:
    """A bug of ours."""
    raise RuntimeError("planned")


def lose(driver: Driver) -> None:
    """The connection ends; what the server has heard it does."""
    driver.abandon()
    raise ConnectionLost


def _die(_driver: Driver) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(work: Callable[[], Any], number: int) -> bool:
    """Do work in a process that is killed at a point; False if it came to its end before."""
    db.close()
    child = os.fork()
    if child == 0:
        _work_alone(work, at_point(number, _die))
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.WIFSIGNALED(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise TimeoutError("a process of a request did not end")


def _work_alone(work: Callable[[], Any], interruption: AbstractContextManager[Any]) -> None:
    try:
        gateway._client.cache_clear()  # noqa: SLF001  its connections are the parent's
        with interruption:
            work()
    finally:
        os._exit(0)
