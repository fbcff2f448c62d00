"""Collisions: the whole unit of work is done again, so often and no oftener, after a pause."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib.core import db
from chalicelib.core.db import Again, Connection
from chalicelib.core.driver import DatabaseError
from chalicelib.core.errors import Conflict, InternalError, Unavailable
from tests.support import database
from tests.support.notes import ALL, Counted, add, kept, sql
from tests.support.races import at_once

RAISE = sql("select scratch.raise(:code)")
RAISE_AT_FIRST = sql("select scratch.raise_at_first(cast(:times as bigint), :code)")

pytestmark = pytest.mark.usefixtures("raising")


@pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
@pytest.mark.parametrize("at", [0, 1, 2, "later"])
def test_what_collided_is_done_again_as_a_whole(
    pauses: list[float], sqlstate: str, at: int | str
) -> None:
    fails: dict[str, Any] = {"times": 2, "code": sqlstate}

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
            except DatabaseError:
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
