"""Units of work: what stands, what is undone, what rides along and what it costs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import db
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.driver import DatabaseError
from chalicelib.core.errors import InternalError, NotAllowed
from tests.support import logs
from tests.support.notes import ADD, ONE, add, kept, prelude, sql
from tests.support.proxy import Proxy

pytestmark = pytest.mark.usefixtures("scratch")


def nothing(_unit: Connection) -> None:
    """Work that asks the database nothing."""


def looking(times: int) -> Callable[[Connection], None]:
    """Work that looks so many times."""

    def work(unit: Connection) -> None:
        for _ in range(times):
            unit.one(ONE)

    return work


def adding(now: int, *, later: int = 0) -> Callable[[Connection], None]:
    """Work that adds so many notes, and leaves so many for COMMIT."""

    def work(unit: Connection) -> None:
        for number in range(now):
            add(unit, number)
        for number in range(later):
            unit.later(ADD, id=now + number, note="")

    return work


def test_a_write_stands_as_a_whole_or_not_at_all() -> None:
    def two(unit: Connection, fails: bool) -> str:
        add(unit, 1)
        add(unit, 2)
        if fails:
            raise RuntimeError("after the second")
        return "done"

    with pytest.raises(RuntimeError, match="after the second"):
        db.write(two, True)
    assert kept() == []
    assert db.write(two, False) == "done"
    assert kept() == [1, 2]


def test_an_interrupted_write_is_undone_and_the_connection_is_sound() -> None:
    def interrupted(unit: Connection) -> None:
        add(unit, 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        db.write(interrupted)
    assert kept() == []
    db.write(add, 2)
    assert kept() == [2]


def test_a_unit_within_another_is_refused_and_undoes_both() -> None:
    def outer(unit: Connection) -> None:
        add(unit, 1)
        db.write(add, 2)

    with pytest.raises(RuntimeError, match="within another"):
        db.write(outer)
    assert kept() == []
    db.write(add, 3)
    assert kept() == [3]


def test_a_unit_that_asked_nothing_yet_is_none_for_another_to_be_within() -> None:
    def outer(unit: Connection) -> None:
        db.write(add, 1)
        add(unit, 2)

    db.write(outer)
    assert kept() == [1, 2]


def test_a_swallowed_refusal_is_no_success() -> None:
    def careless(unit: Connection) -> str:
        add(unit, 1)
        try:
            add(unit, 1)
        except DatabaseError:
            return "looks fine"
        return "unreachable"

    with pytest.raises(InternalError):
        db.write(careless)
    assert kept() == []


@pytest.mark.parametrize(
    ("kind", "work", "bare", "with_preludes"),
    [
        ("read", nothing, 0, 1),
        ("write", nothing, 0, 2),
        ("read", looking(1), 1, 1),
        ("read", looking(2), 2, 2),
        ("write", adding(1), 2, 2),
        ("write", adding(2), 3, 3),
        ("write", adding(1, later=2), 2, 2),
        ("write", adding(0, later=2), 1, 2),
    ],
)
def test_round_trips_on_the_wire(
    *,
    proxied: None,
    proxy: Proxy,
    kind: db.Kind,
    work: Callable[[Connection], Any],
    bare: int,
    with_preludes: int,
) -> None:
    db.read(Connection.one, ONE)
    with proxy.counting() as turns:
        db.run(kind, work)
    assert turns == [bare]
    db.write(lambda unit: unit.run(sql("delete from scratch.notes")))
    before = db.session.trips
    with proxy.counting() as turns:
        db.run(kind, work, prelude(), prelude(apart=True), prelude(apart=True))
    assert turns == [with_preludes] == [db.session.trips - before]


def test_what_rides_with_commit_gives_its_rows_back() -> None:
    given: list[Any] = []

    def work(unit: Connection) -> None:
        unit.later(ADD, given.append, id=1, note="")
        unit.later(sql("select count(*) as n from scratch.notes", "n"), given.append)
        assert given == []

    db.write(work)
    assert given == [[(1,)], [(1,)]]


def test_what_rides_with_commit_falls_with_it() -> None:
    def work(unit: Connection) -> None:
        add(unit, 1)
        unit.later(ADD, id=2, note="")
        unit.later(sql("select 1/0"))

    with pytest.raises(InternalError):
        db.write(work)
    assert kept() == []


def test_after_commit_comes_after_commit() -> None:
    seen: list[list[int]] = []

    def work(unit: Connection) -> None:
        unit.after_commit(lambda: seen.append(kept()))
        add(unit, 1)

    db.write(work)
    assert seen == [[1]]


def test_nothing_follows_a_rollback() -> None:
    followed: list[int] = []

    def work(unit: Connection) -> None:
        unit.after_commit(lambda: followed.append(1))
        add(unit, 1)
        raise NotAllowed

    with pytest.raises(NotAllowed):
        db.write(work)
    assert followed == []


def test_what_follows_may_fail_without_failing_the_work_or_its_neighbours(
    log_lines: Path,
) -> None:
    followed: list[int] = []

    def fails() -> None:
        raise ConnectionError("canary@kith.example")

    def work(unit: Connection) -> str:
        for action in (fails, lambda: followed.append(1)):
            unit.after_commit(action)
        add(unit, 1)
        return "done"

    assert db.write(work) == "done"
    assert followed == [1]
    assert kept() == [1]
    (line,) = logs.lines(log_lines, "after_commit_failed")
    assert line["error"][0] == "builtins.ConnectionError"
    assert "canary" not in log_lines.read_text()


def test_a_transaction_that_is_refused_leaves_those_before_it() -> None:
    transactions = Transactions()
    transactions.write(add, 1)
    with pytest.raises(InternalError):
        transactions.write(add, 1)
    assert kept() == [1]


@pytest.mark.parametrize("given", [{}, {"id": 1}, {"id": 1, "note": "", "more": 2}])
def test_parameters_that_are_missing_or_unknown_are_named(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="parameters missing or unknown"):
        db.write(lambda unit: unit.run(ADD, **given))
