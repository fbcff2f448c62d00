"""How far the clock is moved, and which slots of which jobs lie on the way."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from chalicelib.core.jobs import Job

LONGEST_MOVE = timedelta(days=3660)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOVE = re.compile(r"\+([0-9]{1,6})([smhdw])")

# How finely a move is stepped through: (up to this far, each job runs once in each of these).
_STEPS = (
    (timedelta(hours=2), timedelta(minutes=1)),
    (timedelta(days=3), timedelta(hours=1)),
    (timedelta(days=400), timedelta(days=1)),
    (LONGEST_MOVE, timedelta(days=7)),
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
