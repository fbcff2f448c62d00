"""Preludes: what must hold first rides along, and is checked before a row is seen."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Text, bindparam, literal_column, select, text

from chalicelib.core import db
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import InternalError, NotAllowed, NotSignedIn, TooManyRequests
from chalicelib.core.statements import Statement, json_object
from tests.support.notes import ADD, ALL, ONE, add, kept, passes, prelude, refuses, sql
from tests.support.statements import listening

pytestmark = pytest.mark.usefixtures("scratch")


def nothing(_unit: Connection) -> None:
    """Work that asks the database nothing."""


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
def test_a_failing_check_comes_before_a_statement_that_fails(kind: db.Kind, apart: bool) -> None:
    work = [prelude(passes), prelude(refuses(NotSignedIn()), apart=apart), prelude(passes)]
    with pytest.raises(NotSignedIn):
        db.run(kind, lambda unit: unit.one(sql("select 1/0")), *work)


def test_what_stands_apart_is_counted_once_though_the_first_statement_has_to_be_done_again() -> (
    None
):
    tries: list[int] = []
    fails = sql(
        "do $$ begin raise serialization_failure; end $$",
    )

    def work(unit: Connection) -> None:
        tries.append(1)
        if len(tries) == 1:
            unit.run(fails)
        add(unit, 1)

    db.run("write", work, prelude(adds=8, apart=True))
    assert (len(tries), kept()) == (2, [1, 8])


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


def test_preludes_ride_with_the_first_of_several_transactions() -> None:
    checks: list[Any] = []
    transactions = Transactions(prelude(checks.append))
    transactions.write(add, 1)
    transactions.write(add, 2)
    assert transactions.read(lambda unit: len(unit.all(ALL))) == 2
    assert checks == [(1,)]


NOTE = json_object(
    select(literal_column("note").label("note"), bindparam("more", type_=Text).label("more"))
    .select_from(text("scratch.notes"))
    .where(literal_column("id") == bindparam("id", type_=BigInteger))
)
STANDS = Statement[Any](
    select(bindparam("one", type_=Text), bindparam("two", type_=Text)).where(
        bindparam("stands", type_=Boolean)
    )
)


def look(seen: list[Any], *, stands: bool = True) -> Callable[[], db.Prelude[Any]]:
    """A prelude that is a select of one row, or of none."""
    given = {"one": "1", "two": "2", "stands": stands}
    return lambda: db.Prelude(STANDS, given, seen.append)


def test_a_read_is_one_statement_with_what_has_to_hold() -> None:
    db.write(add, 7)
    seen: list[Any] = []
    with listening() as heard:
        found = db.run("read", lambda unit: unit.json(NOTE, id=7, more="x"), look(seen))
    assert found is not None
    assert json.loads(found.text) == {"note": "note 7", "more": "x"}
    assert seen == [("1", "2")]
    assert len(heard) == 1


def test_a_read_of_nothing_still_checks_what_has_to_hold() -> None:
    seen: list[Any] = []
    assert db.run("read", lambda unit: unit.json(NOTE, id=7, more="x"), look(seen)) is None
    assert seen == [("1", "2")]


def test_a_read_tells_nothing_where_what_has_to_hold_does_not() -> None:
    db.write(add, 7)
    seen: list[Any] = []
    found = db.run("read", lambda unit: unit.json(NOTE, id=7, more="x"), look(seen, stands=False))
    assert found is None
    assert seen == [None]


def test_in_a_write_they_stay_apart() -> None:
    db.write(add, 7)
    seen: list[Any] = []
    with listening() as heard:
        db.run("write", lambda unit: unit.json(NOTE, id=7, more="x"), look(seen))
    assert seen == [("1", "2")]
    assert len(heard) == 4
