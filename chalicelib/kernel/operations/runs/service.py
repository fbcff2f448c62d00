"""Jobs: what there is, how their runs went, and starting one by hand.

A job asked for by hand runs in the worker of this domain's queue, not in the request: it may take
minutes, and holds the same lease as by schedule. Its slot is the moment it was asked for.
"""

from datetime import datetime

from chalicelib.core import audit, clock, jobs, outbox, paging, rooms
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import NotFound
from chalicelib.core.jobs import Daily, Schedule
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.operations.events import JobRequested
from chalicelib.kernel.operations.runs import queries
from chalicelib.kernel.operations.schemas import Job, Run, RunQuery, RunRequested


class RunUnderWay(Exception):
    """The very run that was asked for has begun and is not over."""


def runs(db: Connection, query: RunQuery) -> Json[Page[Run]]:
    """The runs of jobs, newest first."""
    return paging.narrowed_page(db, queries.RUNS, query)


def known(db: Connection) -> Page[Job]:
    """Every job of this deployment, by name, with its newest run."""
    rooms.load("jobs")
    names = ("id", "job", "slot", "state", "rows", "error", "started_at", "finished_at")
    found = db.all(queries.NEWEST, jobs=list(jobs.registered))
    rows = [dict(zip(names, row, strict=True)) for row in found]
    newest = {row["job"]: Run.model_validate(row) for row in rows}
    items = [
        Job(job=name, schedule=_said(jobs.registered[name].schedule), last_run=newest.get(name))
        for name in sorted(jobs.registered)
    ]
    return Page[Job](items=items, next_cursor=None)


def _said(schedule: Schedule) -> str:
    if isinstance(schedule, Daily):
        return f"daily at {schedule.hour:02}:{schedule.minute:02} UTC"
    return f"every {schedule.minutes} minutes"


def start(db: Connection, caller: Caller, job: str) -> RunRequested:
    """Have a job run as soon as may be; NotFound for one there isn't."""
    # Who asks comes before what there is.
    db.settle()
    rooms.load("jobs")
    if job not in jobs.registered:
        raise NotFound
    now = clock.now()
    outbox.publish(db, JobRequested(job, now.isoformat()))
    audit.record(db, caller.id, "operations.start_job", f"core.job_runs:{job}")
    return RunRequested(job=job, slot=now)


def run(transactions: Transactions, job: str, slot: datetime) -> None:
    """Run a job that was asked for, unless it runs just now; a failure is recorded by its run.

    RunUnderWay while the run that was asked for is itself not over: the worker that began it may
    have died, and whoever hears this comes again when its lease has ended.
    """
    rooms.load("jobs")
    outcome = jobs.run(jobs.registered[job], slot, by_hand=True)
    if outcome["state"] == "skipped" and transactions.read(_is_under_way, job, slot):
        raise RunUnderWay


def _is_under_way(db: Connection, job: str, slot: datetime) -> bool:
    return db.one(queries.UNDER_WAY, job_name=job, slot_at=slot) is not None
