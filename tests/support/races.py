"""Things done at the same moment, each over a connection of its own, as Lambdas do them."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from chalicelib.core import db

T = TypeVar("T")

CONNECTIONS = 16
_PATIENCE_SECONDS = 20


def at_once(works: Sequence[Callable[[], T]], *, connections: int = CONNECTIONS) -> list[T]:
    """Do all of `works`, spread over so many connections that start together; what each returned.

    Raises what a work raised, once all have ended.
    """
    count = min(connections, len(works))
    barrier = threading.Barrier(count)

    def share(number: int) -> list[T]:
        try:
            db.session.ready()
            barrier.wait(_PATIENCE_SECONDS)
            return [work() for work in works[number::count]]
        finally:
            db.close()

    with ThreadPoolExecutor(count) as pool:
        shares = [task.result() for task in [pool.submit(share, one) for one in range(count)]]
    return [shares[at % count][at // count] for at in range(len(works))]


def many(count: int, work: Callable[[], T], *, connections: int = CONNECTIONS) -> list[T]:
    """Do the same `count` times at once."""
    return at_once([work] * count, connections=connections)
