"""Prepared statements: once for each connection, healed when they go stale, none behind a pooler."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import column, select, text

from chalicelib.core import db
from chalicelib.core.config import Config
from chalicelib.core.db import Connection
from chalicelib.core.driver import Call, DatabaseError, Driver
from chalicelib.core.statements import Statement, statement
from tests.support import database
from tests.support.wire import answers_its_own, ask

Open = Callable[[Config], Driver]

NAMED = "select name, statement from pg_prepared_statements"
NOTES: Statement[Any] = statement(
    select(column("id"), column("note")).select_from(text("scratch.notes"))
)


def named(driver: Driver) -> list[str]:
    """What is prepared on a connection, apart from the question itself."""
    return [sql for _, sql in ask(driver, NAMED) if sql != NAMED]


def test_a_statement_is_prepared_once_and_used_again(driver: Driver) -> None:
    for number in range(3):
        assert ask(driver, "select $1::int", number) == [(number,)]
    driver.exchange([[Call(b"select 'twice'"), Call(b"select 'twice'")], [Call(b"select 'twice'")]])
    assert sorted(named(driver)) == ["select $1::int", "select 'twice'"]


def test_a_statement_that_failed_to_be_prepared_is_prepared_when_it_can_be(
    driver: Driver, scratch: None
) -> None:
    late = "select * from scratch.late"
    with pytest.raises(DatabaseError):
        ask(driver, late)
    database.execute("create table scratch.late as select 1 as number")
    assert ask(driver, late) == [(1,)]


def test_a_statement_whose_turn_never_came_is_prepared_the_next_time(driver: Driver) -> None:
    skipped = Call(b"select 'skipped'")
    with pytest.raises(DatabaseError):
        driver.exchange([[Call(b"select 1/0"), skipped], [skipped]])
    assert ask(driver, "select 'skipped'") == [("skipped",)]
    assert answers_its_own(driver)


def test_behind_a_pooler_nothing_has_a_name(opened: Open, settings: Config) -> None:
    driver = opened(replace(settings, pooler=True))
    for number in range(3):
        assert ask(driver, "select $1::int", number) == [(number,)]
    assert answers_its_own(driver)
    assert ask(driver, NAMED) == []


@pytest.fixture
def notes(scratch: None) -> None:
    """One note, read once, so that its statement is prepared on the program's connection."""
    database.execute("insert into scratch.notes values (7, 'seven')")
    assert db.read(Connection.all, NOTES) == [(7, "seven")]


def test_a_changed_type_makes_a_prepared_statement_stale_for_ever(
    driver: Driver, scratch: None
) -> None:
    ask(driver, "insert into scratch.notes values (7, 'seven')")
    assert ask(driver, "select id from scratch.notes") == [(7,)]
    ask(driver, "alter table scratch.notes alter column id type text")
    for _ in range(2):
        with pytest.raises(DatabaseError) as stale:
            ask(driver, "select id from scratch.notes")
        assert stale.value.sqlstate == "0A000"
    driver.forget_prepared()
    assert ask(driver, "select id from scratch.notes") == [("7",)]


@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_changed_type_is_healed_by_running_the_unit_again(notes: None, kind: db.Kind) -> None:
    with database.another_connection() as other:
        other.run("alter table scratch.notes alter column id type text")
    runs = []

    def work(unit: Connection) -> list[Any]:
        runs.append(1)
        return unit.all(NOTES)

    assert db.run(kind, work) == [("7", "seven")]
    assert len(runs) == 2


@pytest.mark.parametrize("kind", ["read", "write"])
def test_forgotten_statements_are_healed_by_running_the_unit_again(
    notes: None, kind: db.Kind
) -> None:
    database.execute("deallocate all")
    runs = []

    def work(unit: Connection) -> list[Any]:
        runs.append(1)
        return unit.all(NOTES)

    assert db.run(kind, work) == [(7, "seven")]
    assert len(runs) == 2


def test_the_naive_way_forgotten_statements_stay_forgotten(driver: Driver) -> None:
    assert ask(driver, "select 'known'") == [("known",)]
    ask(driver, "deallocate all")
    for _ in range(2):
        with pytest.raises(DatabaseError) as stale:
            ask(driver, "select 'known'")
        assert stale.value.sqlstate == "26000"


def test_what_a_unit_wrote_before_it_met_a_stale_statement_is_written_once(
    notes: None, scratch: None
) -> None:
    database.execute("deallocate all")
    insert: Statement[Any] = Statement(
        text("insert into scratch.notes values (8, 'eight') returning id").columns(column("id"))
    )

    def work(unit: Connection) -> list[Any]:
        assert unit.one(insert) == (8,)
        return unit.all(NOTES)

    assert db.write(work) == [(7, "seven"), (8, "eight")]
    assert database.execute("select count(*) from scratch.notes") == [(2,)]
