"""What is done by the clock: started three times at once, a day late, cut off and taken over."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import bindparam, false, update

from chalicelib.core import clock, db, ids, jobs
from chalicelib.core.db import Connection
from chalicelib.core.jobs import LEASE, Every, Job
from chalicelib.core.statements import command, statement
from chalicelib.core.tables import job_runs
from tests.faults.proof import Findings, Planted, Proof, walk
from tests.faults.sampling import spread
from tests.faults.shifts import Shift, shift
from tests.faults.work import due
from tests.faults.world import World, replaced
from tests.support.races import many

A_DAY = timedelta(days=1)
_ENDS = ("killed", "disconnected")

_tried: set[str] = set()
"""The jobs to try, while a planted fault shows in some only; none is all of them."""


def _all(findings: Findings) -> Iterator[tuple[Job, due.Prepare]]:
    """Every job with its work; one that nobody has described is a broken promise."""
    works = due.every()
    for name, told in sorted(jobs.registered.items()):
        if _tried and name not in _tried:
            continue
        if findings.hold(name in works, f"{name}: nobody described its work"):
            yield told, works[name]


def start_often(world: World, tries: int, findings: Findings) -> None:
    """Start each job three times at once and again, and a day late; so often."""
    every = list(_all(findings))
    for told, prepare in walk(every * tries, findings, len(every) * tries, "jobs"):
        with shift(world, told, prepare, findings, "three at once") as one:
            at = one.slot
            states = sorted(many(3, partial(one.fire, at), connections=3))
            one.hold(states == ["done", "skipped", "skipped"], f"they were {states}")
            one.is_done_once()
            one.hold(one.fire(at) == "skipped", "done once more")
            one.is_done_once()
        with shift(world, told, prepare, findings, "a day late") as one:
            before = one.slot
            one.times.pass_by(A_DAY)
            one.hold(one.fire(one.slot) == "done", "not done")
            one.is_done_once()
            late = one.fire(before)
            one.hold(late == "done", f"of the day before: {late}")
            if not one.due.rings:
                one.is_done_once()
        findings.count("starts", 6)


def cut_off(world: World, tries: int, findings: Findings) -> None:
    """Cut each job off at so many of the points at which it speaks with the database."""
    every = list(_all(findings))
    for number, (told, prepare) in enumerate(walk(every, findings, len(every), "jobs")):
        with shift(world, told, prepare, findings, "undisturbed") as one:
            points = one.cut(0)
            one.is_done_once()
        for at, point in enumerate(spread(range(1, points + 1), tries)):
            how = _ENDS[(number + at) % 2]
            with shift(world, told, prepare, findings, f"{how} at point {point}") as one:
                if how == "killed":
                    one.hold(one.killed(point), "was not killed")
                else:
                    one.cut(point)
                one.take_over()
            findings.count(f"runs {how}")
        with shift(world, told, prepare, findings, "thought dead") as one:
            _overtake(one)
        findings.count("runs overtaken")


def _overtake(one: Shift) -> None:
    """Another run takes the place of one that is only slow; the slow one must not go on."""
    others: list[str] = []
    working = jobs._work  # noqa: SLF001

    def slow(*given: Any) -> int:
        if not others:
            one.times.pass_by(LEASE + timedelta(seconds=1))
            others.append("")
            others[:] = many(1, lambda: one.fire(one.slot))
        return working(*given)

    with replaced(jobs, "_work", slow):
        state = one.fire(one.slot)
    one.hold((state, others) == ("lost", ["done"]), f"it was {state}, the other one {others}")
    one.is_done_once()


@contextmanager
def only(*names: str) -> Iterator[None]:
    """Only some of the jobs are tried."""
    _tried.update(names)
    try:
        yield
    finally:
        _tried.clear()


@contextmanager
def no_row_for_the_slot() -> Iterator[None]:
    """A job does its work whenever it is started."""
    with ExitStack() as stack:
        stack.enter_context(only("core_relay"))
        stack.enter_context(replaced(jobs, "_claim", lambda *_: ids.uuid7()))
        stack.enter_context(replaced(jobs, "_held", lambda *_: None))
        yield


@contextmanager
def done_slots_taken_again() -> Iterator[None]:
    """A slot that was done is taken like one that was lost."""
    taken = jobs._new.on_conflict_do_update(  # noqa: SLF001
        index_elements=[job_runs.c.job, job_runs.c.slot],
        set_={"id": jobs._new.excluded.id, "state": "running"},  # noqa: SLF001
    )
    with only("core_relay"), replaced(jobs, "CLAIM", statement(taken.returning(job_runs.c.id))):
        yield


@contextmanager
def undescribed() -> Iterator[None]:
    """Somebody adds a job, and nobody says what it finds to do."""
    added = Job("tests_new", Every(1), lambda _unit, _now: 0, calls=False)
    with only(added.name), replaced(jobs, "registered", {**jobs.registered, added.name: added}):
        yield


@contextmanager
def dead_runs_stay() -> Iterator[None]:
    """Nobody takes the place of a run that died."""
    nothing = command(
        update(job_runs)
        .where(false(), job_runs.c.job == bindparam("job_name"))
        .values(finished_at=bindparam("now"))
    )
    with only("core_relay"), replaced(jobs, "_CLAIM_LOST", nothing):
        yield


@contextmanager
def leases_not_asked_for() -> Iterator[None]:
    """A run goes on whether or not it was thought dead."""
    with only("core_relay"), replaced(jobs, "_held", lambda *_: None):
        yield


def _count(unit: Connection, **given: Any) -> None:
    unit.run(jobs.COUNT, **given)


@contextmanager
def marked_afterwards() -> Iterator[None]:
    """A batch is committed before the run's row says so."""

    def work(told: Job, run_id: Any, _started: float) -> int:
        total = 0
        while handled := db.write(told.function, clock.now()):
            db.write(partial(_count, run_id=run_id, more=handled))
            total += handled
        return total

    with only("marketplace_domains_recheck"), replaced(jobs, "_work", work):
        yield


PROOFS = (
    Proof(
        name="jobs.once_per_slot",
        promise=(
            "What is done by the clock is done once for each of its times, if it is started three"
            " times at once, once more afterwards, or a day late."
        ),
        run=start_often,
        full=3,
        short=1,
        planted=(
            Planted("no row for the slot", no_row_for_the_slot),
            Planted("a slot that is done is taken again", done_slots_taken_again),
            Planted("a job whose work nobody described", undescribed),
        ),
    ),
    Proof(
        name="jobs.taken_over",
        promise=(
            "What is done by the clock and is cut off halfway is taken up again, and nothing of it is"
            " missing or done twice."
        ),
        run=cut_off,
        full=12,
        short=1,
        planted=(
            Planted("nobody takes a dead run's place", dead_runs_stay, tries=3),
            Planted("a lease is not asked for", leases_not_asked_for),
            Planted("a batch is committed before it is marked", marked_afterwards, tries=16),
        ),
    ),
)
