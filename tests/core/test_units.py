"""Units of work: what stands, what is undone, what rides along and what it costs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import db
from chalicelib.core.db import Connection, Prelude, Transactions
from chalicelib.core.errors import InternalError, NotAllowed, NotSignedIn, TooManyRequests
from tests.support import logs
from tests.support.notes import ADD, ALL, add, kept, sql
from tests.support.proxy import Proxy

ONE = sql("select 1 as one", "one")

pytestmark = pytest.mark.usefixtures("scratch")


def passes(_row: Any) -> None:
    """A check that nothing stands against."""


def refuses(error: Exception) -> Callable[[Any], None]:
    """A check that fails."""

    def check(_row: Any) -> None:
        raise error

    return check


def prelude(
    check: Callable[[Any], None] = passes, *, adds: int | None = None, apart: bool = False
) -> Callable[[], Prelude[Any]]:
    """A prelude that looks at a constant, or adds a note."""
    if adds is None:
        return lambda: Prelude(ONE, {}, check, apart=apart)
    return lambda: Prelude(ADD, {"id": adds, "note": "prelude"}, check, apart=apart)


def nothing(_unit: Connection) -> None:
    """Work that asks the database nothing."""


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


def test_a_swallowed_refusal_is_no_success() -> None:
    def careless(unit: Connection) -> str:
        add(unit, 1)
        try:
            add(unit, 1)
        except db.DatabaseError:
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
        ("read", lambda unit: unit.one(ONE), 1, 1),
        ("read", lambda unit: (unit.one(ONE), unit.all(ALL)), 2, 2),
        ("write", lambda unit: add(unit, 1), 2, 2),
        ("write", lambda unit: (add(unit, 1), add(unit, 2)), 3, 3),
        ("write", lambda unit: (add(unit, 1), unit.later(ADD, id=2, note=""), unit.later(ONE)), 2, 2),
        ("write", lambda unit: (unit.later(ADD, id=1, note=""), unit.later(ONE)), 1, 2),
    ],
)
def test_round_trips_on_the_wire(
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
    db.write(Connection.run, sql("delete from scratch.notes"))
    before = db.session.trips
    with proxy.counting() as turns:
        db.run(kind, work, prelude(), prelude(apart=True), prelude(apart=True))
    assert turns == [with_preludes] == [db.session.trips - before]


def test_preludes_are_checked_before_a_row_is_seen_those_apart_first() -> None:
    order: list[str] = []

    def note(name: str) -> Callable[[Any], None]:
        return lambda _row: order.append(name)

    def work(unit: Connection) -> None:
        order.append("work")
        unit.one(ONE)
        order.append("rows")

    db.run(
        "write",
        work,
        prelude(note("caller")),
        prelude(note("limit"), apart=True),
        prelude(note("key")),
    )
    assert order == ["work", "limit", "caller", "key", "rows"]


def test_a_failing_check_hides_the_rows_and_undoes_the_statement() -> None:
    seen: list[Any] = []

    def work(unit: Connection) -> None:
        seen.append(unit.one(ADD, id=1, note="too early"))

    with pytest.raises(NotAllowed):
        db.run("write", work, prelude(refuses(NotAllowed()), adds=2))
    assert seen == []
    assert kept() == []


def test_what_is_apart_stands_when_the_work_does_not() -> None:
    def work(unit: Connection) -> None:
        add(unit, 1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.run("write", work, prelude(adds=8, apart=True), prelude(adds=9))
    assert kept() == [8]


def test_what_is_apart_stands_when_a_check_fails() -> None:
    with pytest.raises(TooManyRequests):
        db.run(
            "write",
            lambda unit: add(unit, 1),
            prelude(refuses(TooManyRequests()), adds=8, apart=True),
        )
    assert kept() == [8]


def test_what_is_apart_stands_when_the_statement_fails() -> None:
    with pytest.raises(InternalError):
        db.run("write", lambda unit: unit.one(sql("select 1/0")), prelude(adds=8, apart=True))
    assert kept() == [8]


@pytest.mark.parametrize("kind", ["read", "write"])
@pytest.mark.parametrize("apart", [True, False])
def test_work_that_asks_nothing_is_checked_all_the_same(kind: db.Kind, apart: bool) -> None:
    with pytest.raises(NotSignedIn):
        db.run(kind, nothing, prelude(refuses(NotSignedIn()), apart=apart))


def test_settling_checks_before_dear_work_and_once() -> None:
    checks: list[Any] = []

    def work(unit: Connection) -> None:
        assert not checks
        unit.settle()
        assert checks == [(1,)]
        unit.settle()
        add(unit, 1)

    db.run("write", work, prelude(checks.append))
    assert checks == [(1,)]
    assert kept() == [1]


def test_a_prelude_may_be_added_before_the_first_statement() -> None:
    def work(unit: Connection) -> None:
        unit.precede(prelude(refuses(NotAllowed()))())
        add(unit, 1)

    with pytest.raises(NotAllowed):
        db.write(work)
    assert kept() == []


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


def test_preludes_ride_with_the_first_of_several_transactions() -> None:
    checks: list[Any] = []
    transactions = Transactions(prelude(checks.append))
    transactions.write(add, 1)
    transactions.write(add, 2)
    assert transactions.read(lambda unit: len(unit.all(ALL))) == 2
    assert checks == [(1,)]


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
