"""The clock that the app's rules go by, moved ahead of real time, and what falls due on the way.

How far it is ahead is kept in a file. The Stripe fake follows.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import func, select

from chalicelib.core import clock, db
from chalicelib.core.db import Connection
from chalicelib.core.jobs import Job
from chalicelib.core.statements import statement
from chalicelib.core.tables import outbox
from local.client import ClientError, call
from local.schedules import Run, Schedules

LONGEST_MOVE = timedelta(days=3660)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOVE = re.compile(r"\+([0-9]{1,9})([smhdw])")
_SETTLING_SECONDS = 3.0
_POLL_SECONDS = 0.01

# How finely a move is stepped through: (up to this far, each job runs once in each of these).
_STEPS = (
    (timedelta(hours=2), timedelta(minutes=1)),
    (timedelta(days=3), timedelta(hours=1)),
    (timedelta(days=400), timedelta(days=1)),
    (LONGEST_MOVE, timedelta(days=7)),
)

_UNDER_WAY = statement(
    select(func.count()).where(outbox.c.done_at.is_(None), outbox.c.attempts == 1)
)


class NotAMove(ValueError):
    """A text that doesn't say how far to move the clock; the message says what would."""


def parse(text: str) -> timedelta:
    """How far `+25h`, `+3d`, `+90m`, `+30s` or `+2w` move the clock; NotAMove for anything else."""
    found = _MOVE.fullmatch(text)
    if found is None:
        back = "the clock can't go back (reset brings it to real time): " if text[:1] == "-" else ""
        raise NotAMove(f"{back}say +25h, +90m, +3d or +2w, show, or reset")
    move = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not timedelta(0) < move <= LONGEST_MOVE:
        raise NotAMove(f"between a second and {LONGEST_MOVE.days} days at a time")
    return move


def planned(jobs: Sequence[Job], start: datetime, target: datetime) -> list[tuple[datetime, Job]]:
    """The slots after `start` and up to `target` to run jobs at, in time order.

    Over a short way all of them; over a long one the last of each hour, day or week, and always
    the last before the target.
    """
    grain = next(grain for reach, grain in _STEPS if target - start <= reach)
    found = [(slot, job) for job in jobs for slot in _slots(job, start, target, grain)]
    return sorted(found, key=lambda each: (each[0], each[1].name))


def _slots(job: Job, start: datetime, target: datetime, grain: timedelta) -> Iterator[datetime]:
    """The last slot of each stretch of `grain` before the target; earliest stretch first."""
    stretches = -((start - target) // grain)
    seen = job.schedule.slot(start)
    for number in range(stretches - 1, -1, -1):
        slot = job.schedule.slot(target - number * grain)
        if slot > max(seen, start):
            yield slot
            seen = slot


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
        with schedules.paused():
            start = clock.now()
            target = start + by
            for slot, job in planned(schedules.jobs, start, target):
                self._advance(slot)
                runs.append(schedules.fire(job, slot))
            self._advance(target)
            self._settle()
        return Moved(clock.now(), self.offset_seconds, runs)

    def _advance(self, at: datetime) -> None:
        """Let it be at least `at`, for the fake too, and let what that brings about happen."""
        seconds = -int((clock.real_time() - at).total_seconds() // 1)
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


def _under_way(unit: Connection) -> int:
    row = unit.one(_UNDER_WAY)
    return row[0] if row else 0
