"""`@job`: a plain function becomes a Lambda that a schedule starts.

The function does one bounded batch and returns how many rows it handled; it is called again, each
time in a transaction of its own, until it returns nothing. A run holds a lease, renewed in each
batch's own transaction: a run that lost it can't commit. One run is recorded for each slot of the
schedule, so an event that fires twice, or three at once, has one effect.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_type_hints
from uuid import UUID

from chalice.app import Blueprint, CloudWatchEvent, Cron, Rate
from sqlalchemy import bindparam, literal_column, or_, update
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core import clock, db, ids, log, naming
from chalicelib.core.db import Connection, Prelude, Transactions
from chalicelib.core.errors import InternalError
from chalicelib.core.statements import command, statement
from chalicelib.core.tables import job_runs

LEASE = timedelta(minutes=2)
LONGEST_SECONDS = 240
_ONE_RUNNING = "job_runs_one_running"


@dataclass(frozen=True)
class Every:
    """Each `minutes` minutes, from the full hour on; they divide an hour or are whole hours."""

    minutes: int

    def slot(self, now: datetime) -> datetime:
        """The slot `now` falls in."""
        seconds = self.minutes * 60
        return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)

    def following(self, slot: datetime) -> datetime:
        """The slot after `slot`."""
        return slot + timedelta(minutes=self.minutes)

    def expression(self) -> Rate:
        """As EventBridge writes it."""
        return Rate(self.minutes, unit=Rate.MINUTES)


@dataclass(frozen=True)
class Daily:
    """Once a day, at an hour and minute of UTC."""

    hour: int
    minute: int = 0

    def slot(self, now: datetime) -> datetime:
        """The slot `now` falls in."""
        today = now.replace(hour=self.hour, minute=self.minute, second=0, microsecond=0)
        return today if today <= now else today - timedelta(days=1)

    def following(self, slot: datetime) -> datetime:
        """The slot after `slot`."""
        return slot + timedelta(days=1)

    def expression(self) -> Cron:
        """As EventBridge writes it."""
        return Cron(self.minute, self.hour, "*", "*", "?", "*")


Schedule = Every | Daily


@dataclass(frozen=True)
class Job:
    """A function under a schedule. `calls`: it talks to a provider between transactions."""

    name: str
    schedule: Schedule
    function: Callable[[Any, datetime], int]
    calls: bool


registered: dict[str, Job] = {}

_CLAIM_LOST = command(
    update(job_runs)
    .where(
        job_runs.c.job == bindparam("job_name"),
        # Written out, as the index says it: a plan for all values finds it by that.
        job_runs.c.state == literal_column("'running'"),
        job_runs.c.lease_until < bindparam("now"),
    )
    .values(state="lost", finished_at=bindparam("now"))
)
_new = insert(job_runs)
CLAIM = statement(
    _new.on_conflict_do_update(
        index_elements=[job_runs.c.job, job_runs.c.slot],
        set_={
            # Another run: one that was thought dead holds the old id, and no lease any more.
            "id": _new.excluded.id,
            "state": "running",
            "lease_until": _new.excluded.lease_until,
            "started_at": _new.excluded.started_at,
            "finished_at": None,
            "error": None,
        },
        where=or_(job_runs.c.state == "lost", job_runs.c.state == "failed"),
    ).returning(job_runs.c.id)
)
RENEW = statement(
    update(job_runs)
    .where(job_runs.c.id == bindparam("run_id"), job_runs.c.state == "running")
    .values(lease_until=bindparam("until"))
    .returning(job_runs.c.id)
)
COUNT = command(
    update(job_runs)
    .where(job_runs.c.id == bindparam("run_id"))
    .values(rows=job_runs.c.rows + bindparam("more"))
)
FINISH = command(
    update(job_runs)
    .where(job_runs.c.id == bindparam("run_id"), job_runs.c.state == "running")
    .values(
        state=bindparam("outcome"),
        rows=job_runs.c.rows + bindparam("more"),
        error=bindparam("message"),
        finished_at=bindparam("now"),
    )
)


class AlreadyRunning(Exception):
    """The slot has been done, or a run of this job is under way."""


class LeaseLost(Exception):
    """Another run took this one's place: it was thought dead."""


def job(blueprint: Blueprint, schedule: Schedule) -> Callable[[Callable[..., int]], Any]:
    """Make a function a job: `(db: Connection, now) -> rows` or `(transactions, now) -> rows`."""

    def decorate(function: Callable[..., int]) -> Any:
        calls = Transactions in get_type_hints(function).values()
        told = Job(naming.name_of(function), schedule, function, calls)
        known = registered.setdefault(told.name, told)
        if known.function.__code__ is not function.__code__:
            raise ValueError(f"two jobs are called {told.name}")

        def start(event: CloudWatchEvent) -> dict[str, Any]:
            fired = event.to_dict().get("time")
            at = datetime.fromisoformat(fired) if fired else clock.now()
            return run(told, at)

        naming.take_the_place_of(function, start)
        return blueprint.schedule(schedule.expression(), name=told.name)(start)

    return decorate


def run(told: Job, fired: datetime, *, by_hand: bool = False) -> dict[str, Any]:
    """Run a job for the slot that `fired` (UTC) falls in, unless that has been or is being done.

    `by_hand`: it was asked for at `fired`, which is a slot of its own.
    """
    started = time.perf_counter()
    try:
        run_id = db.write(_claim, told, fired if by_hand else told.schedule.slot(fired))
    except AlreadyRunning:
        log.line("job", job=told.name, state="skipped")
        return {"job": told.name, "state": "skipped", "rows": 0}
    rows, state = 0, "done"
    failure: Exception | None = None
    try:
        rows = _work(told, run_id, started)
    except LeaseLost as error:
        state, failure = "lost", error
    except Exception as error:  # noqa: BLE001  recorded and alarmed; the next slot tries again
        state, failure = "failed", error
    if state != "lost":
        message = log.frames(failure)[-1] if failure else None
        given = {
            "run_id": run_id,
            "outcome": state,
            "more": rows if told.calls else 0,
            "message": message,
            "now": clock.now(),
        }
        db.run("write", lambda unit: unit.run(FINISH, **given))
    log.line(
        "job",
        job=told.name,
        state=state,
        rows=rows,
        ms=round((time.perf_counter() - started) * 1000, 2),
        error=log.frames(failure) if failure else None,
    )
    return {"job": told.name, "state": state, "rows": rows}


def _claim(unit: Connection, told: Job, slot: datetime) -> UUID:
    now = clock.now()
    unit.run(_CLAIM_LOST, job_name=told.name, now=now)
    with (
        db.refused(db.UNIQUE_VIOLATION, _ONE_RUNNING, AlreadyRunning()),
        # The batch under way holds its run's row.
        db.refused(db.LOCK_NOT_AVAILABLE, None, AlreadyRunning()),
    ):
        row = unit.one(
            CLAIM,
            id=ids.uuid7(),
            job=told.name,
            slot=slot,
            state="running",
            rows=0,
            error=None,
            lease_until=now + LEASE,
            started_at=now,
            finished_at=None,
        )
    if row is None:
        raise AlreadyRunning
    return row[0]


def _work(told: Job, run_id: UUID, started: float) -> int:
    def lease() -> Prelude[Any]:
        return Prelude(RENEW, {"run_id": run_id, "until": clock.now() + LEASE}, _held)

    if told.calls:
        return told.function(Transactions(each=(lease,)), clock.now())
    total = 0
    while time.perf_counter() - started < LONGEST_SECONDS:

        def batch(unit: Connection) -> int:
            unit.settle()
            handled = told.function(unit, clock.now())
            unit.later(COUNT, run_id=run_id, more=handled)
            return handled

        handled = db.run("write", batch, lease)
        total += handled
        if not handled:
            return total
    raise InternalError(f"{told.name} did not end within {LONGEST_SECONDS} s")


def _held(row: tuple[Any, ...] | None) -> None:
    if row is None:
        raise LeaseLost
