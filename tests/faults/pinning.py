"""A pooler that forbids whatever ties a client to one connection: nothing of that is ever sent."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from chalicelib.core import clock, db, driver, jobs, outbox
from chalicelib.core.config import Config, config
from chalicelib.core.driver import Call
from chalicelib.core.jobs import Job
from tests.faults import exchanges
from tests.faults.described import scene
from tests.faults.described.scene import Scene
from tests.faults.proof import Findings, Planted, Proof, walk
from tests.faults.sampling import spread
from tests.faults.shifts import shift
from tests.faults.work import due
from tests.faults.world import World, replaced

# What RDS Proxy pins a PostgreSQL client for, by its documentation.
_PINNING = re.compile(
    r"^\s*(set|reset|discard|prepare|deallocate|execute|declare|fetch|close|listen|unlisten|load"
    r"|create\s+(local\s+|global\s+)?temp)\b"
    r"|\binto\s+temp|\bpg_(try_)?advisory_lock|\bset_config\s*\(|\b(nextval|setval)\s*\(",
    re.IGNORECASE,
)


@contextmanager
def behind_a_pooler() -> Iterator[None]:
    """The program is told that a pooler stands between."""
    os.environ["KITH_POOLER"] = "1"
    config.cache_clear()
    db.close()
    try:
        yield
    finally:
        del os.environ["KITH_POOLER"]
        config.cache_clear()
        db.close()


def overhear(world: World, tries: int, findings: Findings) -> None:
    """Listen to so many operations, jobs and all that they send to queues."""
    operations = spread(list(scene.every().values()), tries)
    works = due.every()
    told = spread([one for name, one in sorted(jobs.registered.items()) if name in works], tries)
    statements: set[str] = set()

    def listened(what: str, heard: list[tuple[str, str]]) -> None:
        for name, sql in heard:
            findings.hold(not name, f"{what} prepares {sql[:100]} as {name}")
            findings.hold(not _PINNING.search(sql), f"{what} says {sql[:100]}")
            statements.add(sql)

    with behind_a_pooler():
        for one in walk(operations, findings, len(operations), "operations"):
            call = one.prepare(Scene(world))
            with exchanges.overheard() as heard:
                answer = scene.make(one, call, world)
                db.write(outbox.relay)
                world.cloud.deliver()
            listened(one.operation, heard)
            findings.hold(answer.status == one.registered.status, f"{one.operation}: {answer.text}")
            findings.count("operations")
        for job in told:
            with shift(world, job, works[job.name], findings, "behind a pooler") as one_shift:
                with exchanges.overheard() as heard:
                    one_shift.fire(clock.now())
                    one_shift.is_done_once()
                listened(job.name, heard)
            findings.count("jobs")
    findings.count("different statements", len(statements))


@contextmanager
def statements_prepared() -> Iterator[None]:
    """Statements are prepared though a pooler stands between."""

    def connect(told: Config) -> driver.Driver:
        return driver.connect(replace(told, pooler=False))

    with replaced(db, "connect", connect):
        yield


@contextmanager
def settings_set() -> Iterator[None]:
    """Timeouts are set by a statement of each transaction."""
    exchange = driver.Driver.exchange
    told = Call(b"set statement_timeout = 10000")

    def with_setting(self: driver.Driver, groups: Any) -> Any:
        return exchange(self, [[told], *groups])[1:]

    with replaced(driver.Driver, "exchange", with_setting):
        yield


@contextmanager
def advisory_locks() -> Iterator[None]:
    """A job keeps others out by a lock of its session."""
    claim = jobs._claim  # noqa: SLF001

    def locked(unit: Any, told: Job, slot: Any) -> Any:
        db.session.ready().exchange([[Call(b"select pg_try_advisory_lock(1)")]])
        return claim(unit, told, slot)

    with replaced(jobs, "_claim", locked):
        yield


PROOFS = (
    Proof(
        name="pinning.never",
        promise=(
            "Behind a pooler nothing is sent that would tie a client to a connection: no prepared"
            " statements, settings, session locks, cursors, temporary tables or listening."
        ),
        run=overhear,
        full=500,
        short=10,
        planted=(
            Planted("statements are prepared", statements_prepared, tries=1),
            Planted("settings are set", settings_set, tries=1),
            Planted("a job takes a session lock", advisory_locks, tries=1),
        ),
    ),
)
