"""What a request says to the database, one exchange after the other, and faults put in between."""

import itertools
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from chalicelib.core.driver import COMMIT, Call, Driver, Group, Reply
from tests.faults.world import replaced

_HEADER = struct.Struct("!ci")

Change = Callable[[int, list[Group]], list[Group]]


@contextmanager
def changed(change: Change) -> Iterator[None]:
    """What is sent is another; `change` is given each exchange's number, from 1, and its groups."""
    numbers = itertools.count(1)
    exchange = Driver.exchange

    def sent(driver: Driver, groups: Sequence[Group]) -> list[list[Reply]]:
        return exchange(driver, change(next(numbers), list(groups)))

    with replaced(Driver, "exchange", sent):
        yield


def failing(groups: list[Group], sqlstate: str) -> list[Group]:
    """The same groups, of which the server refuses the last at its end, but before it commits."""
    raised = f"do $$ begin raise exception 'planned' using errcode = '{sqlstate}'; end $$"
    *others, last = groups
    at = len(last) - 1 if COMMIT in last else len(last)
    return [*others, [*last[:at], Call(raised.encode()), *last[at:]]]


@contextmanager
def overheard() -> Iterator[list[tuple[str, str]]]:
    """Every statement that goes out meanwhile, as on the wire: the name it is prepared under, and it."""
    heard: list[tuple[str, str]] = []
    encode = Driver._encode  # noqa: SLF001  where bytes come from

    def encoded(driver: Driver, groups: Sequence[Group]) -> Any:
        pending, message = encode(driver, groups)
        heard.extend(_statements(message))
        return pending, message

    with replaced(Driver, "_encode", encoded):
        yield heard


def _statements(message: bytes) -> Iterator[tuple[str, str]]:
    """What PostgreSQL is asked to parse, or to do at once."""
    at = 0
    while at < len(message):
        kind, length = _HEADER.unpack_from(message, at)
        body = message[at + _HEADER.size : at + 1 + length]
        if kind == b"P":
            name, sql, _ = body.split(b"\0", 2)
            yield name.decode(), sql.decode()
        elif kind == b"Q":
            yield "", body.rstrip(b"\0").decode()
        at += 1 + length
