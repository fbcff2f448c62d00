"""Schedules: which slot a moment falls in, and which comes next."""

from datetime import UTC, datetime, timedelta

import pytest
from chalice.app import Chalice

from chalicelib.core.jobs import Daily, Every, Schedule
from tests.support import database
from tests.support.api import Context

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "now", "slot", "following"),
    [
        (Every(1), "12:34:56", "12:34", "12:35"),
        (Every(5), "12:34:56", "12:30", "12:35"),
        (Every(60), "12:59:59.999999", "12:00", "13:00"),
        (Every(60), "12:00", "12:00", "13:00"),
        (Every(720), "23:59", "12:00", "24:00"),
        (Daily(3, 10), "12:00", "03:10", "27:10"),
        (Daily(3, 10), "03:10", "03:10", "27:10"),
        (Daily(3, 10), "03:09:59", "-20:50", "03:10"),
        (Daily(0), "00:00", "00:00", "24:00"),
        (Daily(23, 59), "23:58", "-00:01", "23:59"),
    ],
)
def test_slots(schedule: Schedule, now: str, slot: str, following: str) -> None:
    found = schedule.slot(_day(now))
    assert found == _day(slot)
    assert schedule.following(found) == _day(following)
    assert schedule.slot(schedule.following(found)) == schedule.following(found)


def _day(told: str) -> datetime:
    sign = -1 if told.startswith("-") else 1
    hours, minutes, *seconds = told.removeprefix("-").split(":")
    span = timedelta(
        hours=int(hours), minutes=int(minutes), seconds=float(seconds[0]) if seconds else 0
    )
    return NOON.replace(hour=0) + sign * span


def test_every_slot_of_a_day_has_its_turn() -> None:
    schedule = Every(60)
    slots = [schedule.slot(NOON)]
    for _ in range(48):
        slots.append(schedule.following(slots[-1]))
    assert len(set(slots)) == 49
    assert slots[-1] - slots[0] == timedelta(hours=48)


def test_expressions_are_as_eventbridge_writes_them() -> None:
    assert Every(1).expression().to_string() == "rate(1 minute)"
    assert Every(5).expression().to_string() == "rate(5 minutes)"
    assert Every(60).expression().to_string() == "rate(60 minutes)"
    assert Daily(3, 10).expression().to_string() == "cron(10 3 * * ? *)"


def test_a_lambda_starts_its_job_for_the_slot_of_its_event(app: Chalice) -> None:
    event = {
        "version": "0",
        "account": "1",
        "region": "us-east-1",
        "detail": {},
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "time": "2026-11-20T09:41:07Z",
        "id": "x",
        "resources": [],
    }
    relay = app.handler_map["core_relay"]
    assert relay(event, Context()) == {"job": "core_relay", "state": "done", "rows": 0}
    assert relay(event, Context())["state"] == "skipped"
    found = database.execute("select slot from core.job_runs where job = 'core_relay'")
    database.execute("delete from core.job_runs")
    assert found == [(datetime(2026, 11, 20, 9, 41, tzinfo=UTC),)]
