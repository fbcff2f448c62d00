"""What a unit of work makes of the database's refusals, by SQLSTATE alone, and what it does again."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import db
from chalicelib.core.db import Again, Connection
from chalicelib.core.driver import UnencodableValue
from chalicelib.core.errors import (
    AppError,
    Conflict,
    InternalError,
    NotFound,
    Unavailable,
    ValidationFailed,
)
from tests.support import database, logs
from tests.support.notes import ADD, ALL, add, kept, sql
from tests.support.races import at_once

RAISE = sql("select scratch.raise(:code)")
RAISE_AT_FIRST = sql("select scratch.raise_at_first(cast(:times as bigint), :code)")

pytestmark = pytest.mark.usefixtures("raising")


@pytest.fixture
def raising(scratch: None) -> None:
    """Functions that raise by SQLSTATE: always, or the first few times they are called."""
    database.execute("create sequence scratch.calls")
    database.execute(
        "create function scratch.raise(code text) returns void language plpgsql as"
        " $$ begin raise exception 'canary@kith.example' using errcode = code; end $$"
    )
    database.execute(
        "create function scratch.raise_at_first(times bigint, code text) returns void"
        " language plpgsql as $$ begin"
        " if nextval('scratch.calls') <= times then perform scratch.raise(code); end if; end $$"
    )


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between the runs of a unit, which take no time."""
    taken: list[float] = []
    monkeypatch.setattr("chalicelib.core.db.time.sleep", taken.append)
    return taken


class Counted:
    """Work that counts its runs."""

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work, self.runs = work, 0

    def __call__(self, unit: Connection) -> Any:
        self.runs += 1
        return self.work(unit)


@pytest.mark.parametrize(
    ("sqlstate", "error", "status", "runs"),
    [
        ("40001", Unavailable, 503, db.ATTEMPTS),
        ("40P01", Unavailable, 503, db.ATTEMPTS),
        ("55P03", Conflict, 409, 1),
        ("57014", Unavailable, 503, 1),
        ("53300", Unavailable, 503, 1),
        ("53100", Unavailable, 503, 1),
        ("53200", Unavailable, 503, 1),
        ("57P03", Unavailable, 503, 1),
        ("58030", Unavailable, 503, 1),
        ("08006", Unavailable, 503, 1),
        ("25006", Unavailable, 503, 1),
        ("22021", ValidationFailed, 400, 1),
        ("22P05", ValidationFailed, 400, 1),
        ("23505", InternalError, 500, 1),
        ("23503", InternalError, 500, 1),
        ("23514", InternalError, 500, 1),
        ("22003", InternalError, 500, 1),
        ("42P01", InternalError, 500, 1),
        ("42501", InternalError, 500, 1),
        ("P0001", InternalError, 500, 1),
        ("XX000", InternalError, 500, 1),
    ],
)
@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_refusal_nobody_foresaw_is_answered_by_its_sqlstate(
    pauses: list[float],
    log_lines: Path,
    kind: db.Kind,
    sqlstate: str,
    error: type[AppError],
    status: int,
    runs: int,
) -> None:
    work = Counted(lambda unit: unit.one(RAISE, code=sqlstate))
    with pytest.raises(error) as raised:
        db.run(kind, work)
    assert raised.value.status == status
    assert (raised.value.retry_after is not None) == (status == 503)
    assert work.runs == runs
    assert len(pauses) == runs - 1
    assert "canary" not in raised.value.detail
    assert "canary" not in log_lines.read_text()
    if runs == 1:
        assert logs.lines(log_lines, "database_error")[0]["sqlstate"] == sqlstate
    assert db.read(Connection.all, ALL) == []


def test_a_constraint_nobody_foresaw_is_logged_by_name_without_values(log_lines: Path) -> None:
    database.execute("alter table scratch.notes add constraint short check (length(note) < 9)")
    with pytest.raises(InternalError):
        db.write(lambda unit: unit.run(ADD, id=1, note="canary@kith.example"))
    (line,) = logs.lines(log_lines, "database_error")
    assert (line["sqlstate"], line["constraint"]) == ("23514", "short")
    assert "canary" not in log_lines.read_text()


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
@pytest.mark.parametrize("at", [0, 1, 2, "later"])
def test_what_collided_is_done_again_as_a_whole(
    pauses: list[float], sqlstate: str, at: int | str
) -> None:
    fails = {"times": 2, "code": sqlstate}

    def two_statements(unit: Connection) -> str:
        for number in (0, 1, 2):
            if at == number:
                unit.one(RAISE_AT_FIRST, **fails)
            if number < 2:
                add(unit, number)
        if at == "later":
            unit.later(RAISE_AT_FIRST, **fails)
        return "done"

    work = Counted(two_statements)
    assert db.write(work) == "done"
    assert work.runs == 3
    assert kept() == [0, 1]
    assert len(pauses) == 2


def test_repeating_the_statement_alone_the_naive_way_does_not_help(pauses: list[float]) -> None:
    def naive(unit: Connection) -> None:
        add(unit, 1)
        for _ in range(3):
            try:
                unit.one(RAISE_AT_FIRST, times=1, code="40001")
            except db.DatabaseError:
                continue
            return

    with pytest.raises(InternalError):
        db.write(naive)
    assert kept() == []


def test_pauses_are_jittered_grow_and_are_bounded(pauses: list[float]) -> None:
    for _ in range(20):
        with pytest.raises(Unavailable):
            db.write(Counted(lambda unit: unit.one(RAISE, code="40001")))
    rounds = [pauses[at : at + 4] for at in range(0, len(pauses), 4)]
    assert len(rounds) == 20
    for longest, taken in zip([0.02, 0.04, 0.08, 0.16], zip(*rounds, strict=True), strict=True):
        assert 0 <= min(taken) < max(taken) <= longest
        assert len(set(taken)) == 20


SERIALIZABLE = sql("set transaction isolation level serializable")
COUNT = sql("select count(*) as n from scratch.notes", "n")


@pytest.fixture
def rival(raising: None) -> Iterator[Callable[[int], None]]:
    """Somebody who counts the notes and adds one, in a serializable transaction of their own."""
    with database.another_connection() as other:

        def count_and_add(number: int) -> None:
            other.run("begin isolation level serializable")
            other.run("select count(*) from scratch.notes")
            other.run(f"insert into scratch.notes values ({number}, 'rival')")
            other.run("commit")

        yield count_and_add


@pytest.mark.parametrize("rival_comes", ["before the last statement", "before commit"])
def test_a_real_serialization_failure_is_done_again(
    rival: Callable[[int], None], rival_comes: str
) -> None:
    def count_and_add(unit: Connection) -> int:
        unit.run(SERIALIZABLE)
        found = unit.one(COUNT)
        assert found is not None
        if work.runs == 1 and rival_comes == "before the last statement":
            rival(100)
        add(unit, 1)
        if work.runs == 1 and rival_comes == "before commit":
            rival(100)
        return int(found[0])

    work = Counted(count_and_add)
    assert db.write(work) == 1
    assert work.runs == 2
    assert kept() == [1, 100]


def test_a_real_deadlock_is_done_again() -> None:
    for number in (1, 2):
        db.write(add, number)
    both = threading.Barrier(2)
    touch = sql("update scratch.notes set note = note || :by where id = :id")

    def locking(first: int, second: int) -> Counted:
        def lock(unit: Connection) -> None:
            unit.run(sql("set local deadlock_timeout = '20ms'"))
            unit.run(touch, id=first, by=str(first))
            if work.runs == 1:
                both.wait(5)
            unit.run(touch, id=second, by=str(first))

        work = Counted(lock)
        return work

    works = [locking(1, 2), locking(2, 1)]
    at_once([lambda: db.write(works[0]), lambda: db.write(works[1])])
    assert sorted(work.runs for work in works) in ([1, 2], [1, 3], [2, 2])
    notes = dict(db.read(Connection.all, ALL))
    assert {"".join(sorted(note.removeprefix(f"note {at}"))) for at, note in notes.items()} == {
        "12"
    }


def test_who_waits_too_long_for_a_lock_is_told_of_a_conflict() -> None:
    db.write(add, 1)

    def wait(unit: Connection) -> None:
        unit.run(sql("set local lock_timeout = '30ms'"))
        unit.run(sql("delete from scratch.notes"))

    with database.another_connection() as other:
        other.run("begin")
        other.run("update scratch.notes set note = 'held'")
        work = Counted(wait)
        with pytest.raises(Conflict):
            db.write(work)
        other.run("rollback")
    assert work.runs == 1
    assert kept() == [1]


@pytest.mark.parametrize("times", [1, db.ATTEMPTS - 1])
def test_again_begins_anew(pauses: list[float], times: int) -> None:
    def somebody_was_first(unit: Connection) -> str:
        add(unit, work.runs)
        if work.runs <= times:
            raise Again
        return "found"

    work = Counted(somebody_was_first)
    assert db.write(work) == "found"
    assert kept() == [times + 1]


def test_again_ends_in_a_conflict(pauses: list[float]) -> None:
    def always(unit: Connection) -> None:
        add(unit, 1)
        raise Again

    work = Counted(always)
    with pytest.raises(Conflict):
        db.write(work)
    assert work.runs == db.ATTEMPTS
    assert kept() == []


def test_only_the_run_that_stands_is_followed(pauses: list[float]) -> None:
    followed: list[int] = []

    def twice(unit: Connection) -> None:
        run = work.runs
        unit.after_commit(lambda: followed.append(run))
        unit.later(RAISE_AT_FIRST, times=1, code="40001")

    work = Counted(twice)
    db.write(work)
    assert followed == [2]


@pytest.mark.parametrize(
    ("sqlstate", "constraint", "error"),
    [
        (db.UNIQUE_VIOLATION, "notes_pkey", NotFound),
        (db.UNIQUE_VIOLATION, "another", InternalError),
        (db.CHECK_VIOLATION, "notes_pkey", InternalError),
    ],
)
def test_a_refusal_is_foreseen_by_sqlstate_and_constraint(
    sqlstate: str, constraint: str, error: type[AppError]
) -> None:
    db.write(add, 1)

    def add_again(unit: Connection) -> None:
        add(unit, 2)
        with db.refused(sqlstate, constraint, NotFound()):
            add(unit, 1)

    with pytest.raises(error):
        db.write(add_again)
    assert kept() == [1]


def test_text_that_is_not_unicode_is_the_callers_mistake() -> None:
    with pytest.raises(ValidationFailed) as refused:
        db.write(lambda unit: unit.run(ADD, id=1, note="\ud800"))
    assert isinstance(refused.value.__cause__, UnencodableValue)
    db.write(add, 2)
    assert kept() == [2]


def test_rows_that_can_not_be_read_undo_the_unit() -> None:
    def work(unit: Connection) -> None:
        add(unit, 1)
        unit.one(sql("select time '24:00' as t", "t"))

    with pytest.raises(ValueError, match="24"):
        db.write(work)
    db.write(add, 2)
    assert kept() == [2]
