"""Jobs: one run for each slot, one at a time, taken over when one dies, and never both."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import clock, db, jobs
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.jobs import LEASE, Every, Job
from tests.support import database, logs
from tests.support.notes import add, kept
from tests.support.races import at_once, many

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

Work = Callable[[Any, datetime], int]


@pytest.fixture(autouse=True)
def noon(scratch: None) -> Iterator[None]:
    """A clock that stands still, and no runs left behind."""
    clock.follow(clock.frozen(NOON))
    yield
    clock.follow(clock.real_time)
    database.execute("delete from core.job_runs")


def job(work: Work, *, calls: bool = False) -> Job:
    return Job("tests_job", Every(1), work, calls)


def at(moment: datetime) -> datetime:
    clock.follow(clock.frozen(moment))
    return moment


def runs() -> list[tuple[Any, ...]]:
    return database.execute("select slot, state, rows, error from core.job_runs order by slot")


def once(*numbers: int) -> Work:
    """Work that adds these notes in its first batch, and is done."""
    left = [list(numbers)]

    def work(unit: Connection, _now: datetime) -> int:
        batch = left.pop() if left else []
        for number in batch:
            add(unit, number)
        return len(batch)

    return work


def batches(*sizes: int, fails_at: int | None = None) -> Work:
    """Work in several batches, of which one may fail after its notes."""
    started: list[int] = []

    def work(unit: Connection, _now: datetime) -> int:
        if len(started) == len(sizes):
            return 0
        started.append(1)
        size = sizes[len(started) - 1]
        for number in range(size):
            add(unit, len(started) * 100 + number)
        if fails_at == len(started):
            raise RuntimeError("canary@kith.example")
        return size

    return work


def test_a_run_is_recorded_with_its_slot_and_rows() -> None:
    assert jobs.run(job(once(1, 2)), NOON + timedelta(seconds=42)) == {
        "job": "tests_job",
        "state": "done",
        "rows": 2,
    }
    assert runs() == [(NOON, "done", 2, None)]
    ((started, finished, lease),) = database.execute(
        "select started_at, finished_at, lease_until from core.job_runs"
    )
    assert (started, finished, lease) == (NOON, NOON, NOON + LEASE)


def test_a_job_is_told_the_time_of_the_clock() -> None:
    told: list[datetime] = []

    def work(_unit: Connection, now: datetime) -> int:
        told.append(now)
        return 0

    jobs.run(job(work), NOON - timedelta(hours=3))
    assert told == [NOON]


def test_a_slot_that_is_done_is_not_done_again() -> None:
    assert jobs.run(job(once(1)), NOON)["state"] == "done"
    for late in (timedelta(), timedelta(seconds=59)):
        assert jobs.run(job(once(2)), NOON + late)["state"] == "skipped"
    assert jobs.run(job(once(3)), NOON + MINUTE)["state"] == "done"
    assert kept() == [1, 3]


@pytest.mark.parametrize("round_", range(3))
def test_three_at_once_have_one_effect(round_: int) -> None:
    counter = threading.Lock()
    done: list[int] = []

    def work(unit: Connection, _now: datetime) -> int:
        with counter:
            if done:
                return 0
            done.append(1)
        add(unit, 1)
        return 1

    states = sorted(
        answer["state"] for answer in many(3, lambda: jobs.run(job(work), NOON), connections=3)
    )
    assert states == ["done", "skipped", "skipped"]
    assert (kept(), done) == ([1], [1])


def test_without_a_claim_the_naive_way_three_at_once_have_three() -> None:
    works = [lambda number=number: db.write(once(number), NOON) for number in range(3)]
    at_once(works)
    assert kept() == [0, 1, 2]


def test_a_job_never_overlaps_itself_though_its_next_slot_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chalicelib.core.driver.LOCK_TIMEOUT_MS", 50)

    def work(unit: Connection, _now: datetime) -> int:
        if kept():
            return 0
        later = many(1, lambda: jobs.run(job(once(9)), at(NOON + MINUTE)))
        assert later[0]["state"] == "skipped"
        add(unit, 1)
        return 0

    assert jobs.run(job(work), NOON)["state"] == "done"
    assert kept() == [1]


def test_jobs_of_other_names_do_not_wait() -> None:
    def work(unit: Connection, _now: datetime) -> int:
        other = Job("tests_other", Every(1), once(2), calls=False)
        assert many(1, lambda: jobs.run(other, NOON))[0]["state"] == "done"
        add(unit, 1)
        return 0

    assert jobs.run(job(work), NOON)["state"] == "done"
    assert kept() == [1, 2]


def meanwhile(work: Callable[[], None]) -> None:
    """Do something on another connection."""
    many(1, work)


class Killed(BaseException):
    """The process was ended in the middle."""


def killed(_unit: Connection, _now: datetime) -> int:
    raise Killed


def test_a_run_that_was_killed_is_taken_over_when_its_lease_ends() -> None:
    with pytest.raises(Killed):
        jobs.run(job(killed), NOON)
    assert runs() == [(NOON, "running", 0, None)]
    at(NOON + LEASE)
    assert jobs.run(job(once(1)), NOON + MINUTE)["state"] == "skipped"
    at(NOON + LEASE + timedelta(seconds=1))
    assert jobs.run(job(once(2)), NOON + MINUTE)["state"] == "done"
    assert runs() == [(NOON, "lost", 0, None), (NOON + MINUTE, "done", 1, None)]
    assert kept() == [2]


def test_the_very_slot_of_a_killed_run_can_be_done_again() -> None:
    with pytest.raises(Killed):
        jobs.run(job(killed), NOON)
    at(NOON + LEASE + MINUTE)
    assert jobs.run(job(once(1)), NOON)["state"] == "done"
    assert runs() == [(NOON, "done", 1, None)]


@pytest.mark.parametrize("next_slot", [NOON, NOON + MINUTE])
@pytest.mark.parametrize("ends", [True, False])
def test_a_run_that_lost_its_lease_can_not_commit(next_slot: datetime, ends: bool) -> None:
    successor = once(2) if ends else killed

    def take_over() -> None:
        at(NOON + LEASE + MINUTE)
        with suppress(Killed):
            jobs.run(job(successor), next_slot)

    def work(unit: Connection, _now: datetime) -> int:
        if kept():
            add(unit, 3)
        else:
            add(unit, 1)
            unit.after_commit(lambda: meanwhile(take_over))
        return 1

    assert jobs.run(job(work), NOON)["state"] == "lost"
    assert 1 in kept()
    assert 3 not in kept()
    assert runs()[-1][:2] == (next_slot, "done" if ends else "running")


def test_each_batch_renews_the_lease() -> None:
    moments = iter([NOON + MINUTE, NOON + 2 * MINUTE, NOON + 3 * MINUTE])

    def work(unit: Connection, _now: datetime) -> int:
        moment = next(moments, None)
        if moment is None:
            return 0
        at(moment)
        return 1

    assert jobs.run(job(work), NOON) == {"job": "tests_job", "state": "done", "rows": 3}
    ((lease,),) = database.execute("select lease_until from core.job_runs")
    assert lease == NOON + 3 * MINUTE + LEASE


def test_batches_commit_separately_and_count_as_they_go() -> None:
    assert jobs.run(job(batches(3, 2, 4)), NOON)["rows"] == 9
    assert runs() == [(NOON, "done", 9, None)]


def test_a_failing_batch_leaves_those_before_it_and_is_recorded(log_lines: Path) -> None:
    answer = jobs.run(job(batches(3, 2, 4, fails_at=2)), NOON)
    assert answer["state"] == "failed"
    assert kept() == [100, 101, 102]
    ((slot, state, rows, error),) = runs()
    assert (slot, state, rows) == (NOON, "failed", 3)
    assert "test_jobs.py" in error
    (line,) = logs.lines(log_lines, "job")
    assert (line["job"], line["state"]) == ("tests_job", "failed")
    assert line["error"][0] == "builtins.RuntimeError"
    assert "canary" not in log_lines.read_text() + str(runs())


def test_after_a_failure_the_slot_may_be_tried_again_and_the_next_one_comes() -> None:
    assert jobs.run(job(batches(1, fails_at=1)), NOON)["state"] == "failed"
    assert jobs.run(job(once(1)), NOON)["state"] == "done"
    assert jobs.run(job(once(2)), NOON + MINUTE)["state"] == "done"
    assert [run[:3] for run in runs()] == [(NOON, "done", 1), (NOON + MINUTE, "done", 1)]


def test_a_job_that_never_ends_is_ended_and_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "LONGEST_SECONDS", 0.05)
    assert jobs.run(job(lambda _unit, _now: 1), NOON)["state"] == "failed"


def test_a_job_that_calls_a_provider_holds_its_lease_too() -> None:
    def work(transactions: Transactions, _now: datetime) -> int:
        transactions.write(add, 1)
        at(NOON + LEASE + MINUTE)
        many(1, lambda: jobs.run(job(once(2)), NOON + LEASE + MINUTE))
        transactions.write(add, 3)
        return 2

    assert jobs.run(job(work, calls=True), NOON)["state"] == "lost"
    assert kept() == [1, 2]


def test_a_job_that_calls_a_provider_renews_its_lease_with_each_transaction() -> None:
    def work(transactions: Transactions, _now: datetime) -> int:
        for number in (1, 2, 3):
            at(NOON + number * MINUTE)
            transactions.write(add, number)
        return 3

    assert jobs.run(job(work, calls=True), NOON)["rows"] == 3
    assert kept() == [1, 2, 3]
    ((state, rows, lease),) = database.execute("select state, rows, lease_until from core.job_runs")
    assert (state, rows, lease) == ("done", 3, NOON + 3 * MINUTE + LEASE)
