"""Moving the clock: how far, and which jobs on the way."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from chalicelib.core.jobs import Daily, Every, Job, Schedule
from local.clock_moves import LONGEST_MOVE, NotAMove, parse, planned

NOON = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)


def job(name: str, schedule: Schedule) -> Job:
    return Job(name, schedule, lambda _unit, _now: 0, calls=False)


MINUTELY, HOURLY, NIGHTLY = job("a", Every(1)), job("b", Every(60)), job("c", Daily(3, 10))
JOBS = [MINUTELY, HOURLY, NIGHTLY]


@pytest.mark.parametrize(
    ("text", "move"),
    [
        ("+25h", timedelta(hours=25)),
        ("+3d", timedelta(days=3)),
        ("+90m", timedelta(minutes=90)),
        ("+2w", timedelta(weeks=2)),
        ("+30s", timedelta(seconds=30)),
    ],
)
def test_reads_how_far(text: str, move: timedelta) -> None:
    assert parse(text) == move


@pytest.mark.parametrize(
    "text", ["", "25h", "+h", "+1y", "+0h", "+99999d", "+1h ", "+\u0661h", "+1.5h"]
)
def test_refuses_what_is_no_move(text: str) -> None:
    with pytest.raises(NotAMove):
        parse(text)


def test_going_back_is_refused_with_the_cure() -> None:
    with pytest.raises(NotAMove, match="reset"):
        parse("-5h")


def test_a_short_way_has_every_slot_in_order() -> None:
    found = planned(JOBS, NOON, NOON + timedelta(minutes=90))
    assert [slot for slot, _ in found] == sorted(slot for slot, _ in found)
    assert sum(each is MINUTELY for _, each in found) == 90
    assert [slot.hour for slot, each in found if each is HOURLY] == [13]
    assert all(NOON < slot <= NOON + timedelta(minutes=90) for slot, _ in found)


def test_a_day_has_each_job_once_an_hour_at_most_and_its_last_slot() -> None:
    target = NOON + timedelta(hours=25)
    found = planned(JOBS, NOON, target)
    assert sum(each is MINUTELY for _, each in found) == 25
    assert sum(each is HOURLY for _, each in found) == 25
    assert [slot for slot, each in found if each is NIGHTLY] == [
        datetime(2026, 11, 21, 3, 10, tzinfo=UTC)
    ]
    for each in JOBS:
        assert max(slot for slot, one in found if one is each) == each.schedule.slot(target)


def test_a_year_has_every_night() -> None:
    found = planned(JOBS, NOON, NOON + timedelta(days=365))
    nights = [slot for slot, each in found if each is NIGHTLY]
    assert len(nights) == 365
    assert all(b - a == timedelta(days=1) for a, b in pairwise(nights))
    assert sum(each is MINUTELY for _, each in found) == 365


def test_the_longest_way_is_bounded() -> None:
    assert len(planned(JOBS, NOON, NOON + LONGEST_MOVE)) < 2000


def test_no_way_has_no_slot() -> None:
    assert planned(JOBS, NOON, NOON + timedelta(seconds=10)) == []
