"""The clock that the app's rules go by, moved ahead of real time, and what falls due on the way.

How far it is ahead is kept in a file. The Stripe fake follows.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from chalicelib.core import clock, db
from chalicelib.core.db import Connection
from chalicelib.core.driver import Call
from chalicelib.core.statements import statement
from chalicelib.core.tables import outbox
from local.client import ClientError, call
from local.clock_moves import planned
from local.schedules import Run, Schedules

_SETTLING_SECONDS = 3.0
_POLL_SECONDS = 0.01

_UNDER_WAY = statement(
    select(func.count()).where(outbox.c.done_at.is_(None), outbox.c.attempts == 1)
)


@dataclass(frozen=True)
class Moved:
    """Where the clock is after a move, and the runs on the way in their order."""

    now: datetime
    offset_seconds: int
    runs: list[Run]


class LogicalClock:
    """The clock of this process; `file` keeps its offset, `stripe` is the fake's address if any."""

    def __init__(self, file: Path, stripe: str | None) -> None:
        self._file = file
        self._stripe = stripe
        self.offset_seconds = json.loads(file.read_text()) if file.exists() else 0
        clock.follow(clock.shifted(timedelta(seconds=self.offset_seconds)))

    def tell_stripe(self) -> None:
        """Have the Stripe fake follow; it is let be when it doesn't answer."""
        if self._stripe is None:
            return
        try:
            self._ask_stripe("clock", {"offset_seconds": self.offset_seconds})
        except ClientError:
            return

    def reset(self) -> None:
        """Back to real time. What was made in the future stays there."""
        self._set(0)
        self.tell_stripe()

    def move(self, by: timedelta, schedules: Schedules) -> Moved:
        """Move on, running every job that falls due on the way, each at its time."""
        runs = []
        with schedules.paused(), _hurried():
            start, ahead = clock.now(), self.offset_seconds + int(by.total_seconds())
            for slot, job in planned(schedules.jobs, start, start + by):
                self._advance(-int((clock.real_time() - slot).total_seconds() // 1))
                runs.append(schedules.fire(job, slot))
            self._advance(ahead)
            self._settle()
        return Moved(clock.now(), self.offset_seconds, runs)

    def _advance(self, seconds: int) -> None:
        """Be at least so far ahead, the fake too, and let what that brings about happen."""
        if seconds > self.offset_seconds:
            self._settle()
            self._set(seconds)
            self.tell_stripe()

    def _set(self, seconds: int) -> None:
        self.offset_seconds = seconds
        partial = self._file.with_suffix(".new")
        partial.write_text(f"{seconds}\n")
        partial.replace(self._file)
        clock.follow(clock.shifted(timedelta(seconds=seconds)))

    def _settle(self) -> None:
        """Wait, a few seconds at most, until the fake's webhooks and our events have arrived."""
        if self._stripe is not None:
            try:
                self._ask_stripe("deliveries/settle", {"timeout": _SETTLING_SECONDS})
            except ClientError:
                return
        deadline = time.monotonic() + _SETTLING_SECONDS
        while db.read(_under_way) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def _ask_stripe(self, path: str, body: dict[str, float]) -> None:
        call("POST", f"{self._stripe}/_control/{path}", body)


@contextmanager
def _hurried() -> Iterator[None]:
    """Don't wait for the disk at each commit of this thread: thousands of runs may lie on the way.

    What is lost then is lost with the machine's power only, never with a process.
    """
    db.session.ready().exchange([[Call(b"set synchronous_commit = off")]])
    try:
        yield
    finally:
        db.close()


def _under_way(unit: Connection) -> int:
    row = unit.one(_UNDER_WAY)
    return row[0] if row else 0
