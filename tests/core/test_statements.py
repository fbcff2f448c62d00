"""Statements: compiled once, values converted both ways, and what can't be compiled once refused."""

import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.schema import CreateTable

from chalicelib.core import db
from chalicelib.core.db import Connection
from chalicelib.core.statements import Json, command, json_object, statement
from tests.support import database
from tests.support.races import at_once

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text),
    Column("count", Integer),
    Column("total", BigInteger),
    Column("price", Numeric(10, 2)),
    Column("active", Boolean),
    Column("born", Date),
    Column("at", DateTime(timezone=True)),
    Column("tags", ARRAY(Text)),
    Column("owners", ARRAY(Uuid)),
    Column("extra", JSONB),
    Column("sealed", LargeBinary),
    schema="scratch",
)
C = THINGS.c
_DIALECT = PGDialect()  # type: ignore[no-untyped-call]
ID = uuid.UUID(int=7)
FULL: dict[str, Any] = {
    "id": ID,
    "name": "São ✓ 'quoted' \\ %s :name $1",
    "count": -1,
    "total": 2**62,
    "price": Decimal("12.30"),
    "active": False,
    "born": date(2026, 2, 28),
    "at": datetime(2026, 11, 20, 12, 0, 0, 5, UTC),
    "tags": ["a,b", '"', "{}", ""],
    "owners": [uuid.UUID(int=1), uuid.UUID(int=2)],
    "extra": {"a": [1, None, {"é": "✓"}], "b": "\\u0041"},
    "sealed": b"\x00\xff\x80",
}
EMPTY: dict[str, Any] = dict.fromkeys(FULL, None) | {"id": ID}

ADD = command(insert(THINGS))
GET = statement(select(THINGS).where(C.id == bindparam("thing_id")))


@pytest.fixture(autouse=True)
def things(scratch: None) -> None:
    """An empty table of things."""
    database.execute(str(CreateTable(THINGS).compile(dialect=_DIALECT)))


@pytest.mark.parametrize("values", [FULL, EMPTY], ids=["full", "empty"])
def test_values_of_every_type_come_back_as_they_went(values: dict[str, Any]) -> None:
    assert db.write(lambda unit: unit.run(ADD, **values)) == 1
    row = db.read(lambda unit: unit.one(GET, thing_id=ID))
    assert row is not None
    assert dict(zip(values, row, strict=True)) == values


def test_numbers_with_decimals_come_as_they_are_declared() -> None:
    third = literal(Decimal("0.1"), Numeric) + literal(Decimal("0.2"), Numeric)
    asked = statement(
        select(
            third, cast(literal(1.5), Double), func.avg(literal(3, Integer)), func.pi(type_=Double)
        )
    )
    row = db.read(lambda unit: unit.one(asked))
    assert row is not None
    assert row[:3] == (Decimal("0.3"), 1.5, Decimal(3))
    assert [type(value) for value in row] == [Decimal, float, Decimal, float]


def test_nobody_there_is_none_and_an_empty_list() -> None:
    assert db.read(lambda unit: unit.one(GET, thing_id=ID)) is None
    assert db.read(lambda unit: unit.all(GET, thing_id=ID)) == []


def test_a_value_is_never_read_as_sql() -> None:
    hostile = "'; drop table scratch.things; --"
    db.write(lambda unit: unit.run(ADD, **(EMPTY | {"name": hostile})))
    by_name = statement(select(C.name).where(C.name == bindparam("name")))
    assert db.read(lambda unit: unit.all(by_name, name=hostile)) == [(hostile,)]


def test_rows_that_were_changed_are_counted() -> None:
    def three(unit: Connection) -> None:
        for number in range(3):
            unit.run(ADD, **(EMPTY | {"id": uuid.UUID(int=number), "count": number}))

    db.write(three)
    raised = command(update(THINGS).where(C.count > bindparam("least")).values(name="high"))
    assert db.write(lambda unit: unit.run(raised, least=0)) == 2
    assert db.write(lambda unit: unit.run(raised, least=9)) == 0


def test_the_sql_is_the_same_at_every_use() -> None:
    found = statement(
        select(C.id).where(C.id == func.any(bindparam("ids", type_=ARRAY(Uuid)))).order_by(C.id)
    )
    calls = {found.call({"ids": [uuid.UUID(int=n) for n in range(size)]}).sql for size in range(5)}
    assert len(calls) == 1
    assert found.sql.encode() in calls


def test_a_parameter_may_stand_in_several_places_and_have_a_value_of_its_own() -> None:
    asked = statement(
        select(
            bindparam("x", type_=Integer) + bindparam("x", type_=Integer),
            bindparam("y", 5, type_=Integer),
            literal("fixed"),
        )
    )
    assert db.read(lambda unit: unit.one(asked, x=2)) == (4, 5, "fixed")
    assert db.read(lambda unit: unit.one(asked, x=2, y=1)) == (4, 1, "fixed")


CONSTANTS = [
    "plain", "2026-11-20 10:00", "", "it's", "back\\slash", "$1", "50 %", ":name", "naïve", "a\nb",
    -7, 0, 2**40,
]  # fmt: skip


@pytest.mark.parametrize("constant", CONSTANTS, ids=repr)
def test_a_constant_is_itself_wherever_it_stands(constant: str | int) -> None:
    asked = statement(
        select(literal(constant), bindparam("x", type_=Integer) + literal(1)).order_by(literal(1))
    )
    assert db.read(lambda unit: unit.one(asked, x=2)) == (constant, 3)


def test_a_plain_constant_is_part_of_the_text_and_nothing_else_is() -> None:
    asked = statement(
        select(C.id).where(C.name == "plain", C.count == 7, C.extra != literal("$2"), C.active)
    )
    assert "'plain'" in asked.sql
    assert asked.call({}).values == ["$2"]


@pytest.mark.parametrize("given", [{}, {"thing": ID}, {"thing_id": ID, "more": 1}])
def test_parameters_are_named_when_they_are_wrong(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="parameters missing or unknown"):
        GET.call(given)


def test_what_can_not_be_compiled_once_is_refused() -> None:
    for core in (
        select(C.id).where(C.id.in_([ID])),
        select(C.id).where(C.name.in_(["a", "b"])),
        select(C.id).limit(bindparam("most", type_=Integer, literal_execute=True)),
    ):
        with pytest.raises(TypeError, match="compiled once"):
            _ = statement(core).sql


def test_postgresql_writes_the_json_of_a_row() -> None:
    db.write(lambda unit: unit.run(ADD, **FULL))
    written = json_object(select(C.id, C.name, C.extra).where(C.id == bindparam("thing_id")))
    found = db.read(lambda unit: unit.json(written, thing_id=ID))
    assert isinstance(found, Json)
    assert json.loads(found.text) == {
        "id": str(ID),
        "name": FULL["name"],
        "extra": FULL["extra"],
    }
    assert db.read(lambda unit: unit.json(written, thing_id=uuid.UUID(int=1))) is None


def test_threads_may_compile_the_same_statement_at_once() -> None:
    for _ in range(20):
        fresh = statement(select(C.id, C.name).where(C.id == bindparam("thing_id")))
        calls = at_once([partial(fresh.call, {"thing_id": ID})] * 4, connections=4)
        assert {(call.sql, tuple(call.values)) for call in calls} == {(fresh.sql.encode(), (ID,))}


def test_what_is_no_statement_is_refused() -> None:
    with pytest.raises(TypeError):
        _ = command(CreateTable(THINGS)).sql


def test_a_unit_hands_its_statements_on_as_they_are() -> None:
    def work(unit: Connection) -> list[Any]:
        unit.run(ADD, **FULL)
        return unit.all(GET, thing_id=ID)

    assert [row[0] for row in db.write(work)] == [ID]
