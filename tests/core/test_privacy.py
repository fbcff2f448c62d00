"""What the tables' tags do to a person's rows: made-up tables, in a real database."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, dialect
from sqlalchemy.schema import CreateTable

from chalicelib.core import db, privacy, sealing
from chalicelib.core.columns import Fate, identifier
from tests.support import database
from tests.support.statements import listening

ANA, BEN = uuid.UUID(int=1), uuid.UUID(int=2)
KEY = b"k" * 32
AT = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)

toys = MetaData()
posts = Table(
    "posts",
    toys,
    Column("id", Uuid, primary_key=True),
    Column("author_id", Uuid, nullable=False),
    Column("status", Text, nullable=False, info={"pii": Fate.NOT_PERSONAL}),
    Column("title", Text, nullable=False, info={"pii": Fate.BLANK}),
    Column("subtitle", Text, nullable=True, info={"pii": Fate.BLANK}),
    Column("contact", LargeBinary, nullable=True, info={"pii": Fate.ENCRYPTED}),
    Column("kept", LargeBinary, nullable=False, info={"pii": Fate.ENCRYPTED}),
    Column("likes", Integer, nullable=False),
    Column("is_new", Boolean, nullable=False),
    Column("price", Numeric, nullable=True),
    Column("tags", ARRAY(Text), nullable=False, info={"pii": Fate.NOT_PERSONAL}),
    Column("detail", JSONB, nullable=True),
    Column("seen_by", Uuid, nullable=True),
    Column("at", DateTime(timezone=True), nullable=False),
    CheckConstraint("status <> 'active' or contact is not null"),
    schema="toys",
    info={"owner": "author_id", "erased": {"status": "removed"}, "hidden": ("seen_by",)},
)
keys = Table(
    "keys",
    toys,
    Column("id", Uuid, primary_key=True),
    Column("owner", Text, nullable=False, info={"pii": Fate.NOT_PERSONAL}),
    Column("hash", Text, nullable=False, info={"pii": Fate.DELETE, "secret": True}),
    Column("device", Text, nullable=True, info={"pii": Fate.DELETE}),
    schema="toys",
    info={"owner": "owner"},
)
catalogue = Table(
    "catalogue",
    toys,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, info={"pii": Fate.BLANK}),
    schema="toys",
)


@pytest.fixture
def planted(migrated: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A row of each kind for two people."""
    monkeypatch.setattr(privacy, "_load", lambda: toys)
    privacy._erasures.cache_clear()  # noqa: SLF001  made of other tables
    privacy._export.cache_clear()  # noqa: SLF001  made of other tables
    database.execute("create schema toys")
    for table in toys.sorted_tables:
        database.execute(str(CreateTable(table).compile(dialect=dialect())))  # type: ignore[no-untyped-call]
    for person in (ANA, BEN):
        row = f"toys.posts.contact:{person}"
        database.execute(
            "insert into toys.posts values"
            " ($1, $1, 'active', 'a title', 'more', $2, $3, 7, true, 1.10, '{a,b}', '{\"x\": [1]}',"
            " $4, $5)",
            person,
            sealing.seal(KEY, row, b"+5511987654321"),
            sealing.seal(b"o" * 32, row, b"somebody else's"),
            BEN,
            AT,
        )
        database.execute(
            "insert into toys.keys values ($1, $2, 'a hash', 'a phone')", person, str(person)
        )
    database.execute("insert into toys.catalogue values ($1, 'a thing')", ANA)
    yield
    database.execute("drop schema toys cascade")
    privacy._erasures.cache_clear()  # noqa: SLF001  made of other tables
    privacy._export.cache_clear()  # noqa: SLF001  made of other tables


def rows(sql: str) -> list[tuple[Any, ...]]:
    return database.execute(sql)


@pytest.mark.usefixtures("planted")
def test_erasing_follows_the_tags() -> None:
    db.write(privacy.erase, ANA)
    what = "select status, title, subtitle, contact, likes from toys.posts where author_id = $1"
    assert database.execute(what, ANA) == [("removed", "", None, None, 7)]
    assert rows("select owner from toys.keys") == [(str(BEN),)]
    assert rows("select name from toys.catalogue") == [("a thing",)]


@pytest.mark.usefixtures("planted")
def test_nobody_elses_rows_change_and_twice_is_as_good_as_once() -> None:
    what = "select p::text from toys.posts p where author_id = $1"
    before = database.execute(what, BEN)
    for _ in range(2):
        db.write(privacy.erase, ANA)
    assert database.execute(what, BEN) == before


@pytest.mark.usefixtures("planted")
def test_erasing_is_one_round_trip_however_many_tables_there_are() -> None:
    db.write(privacy.erase, ANA)
    before = db.session.trips
    db.write(privacy.erase, ANA)
    assert db.session.trips == before + 1


@pytest.mark.usefixtures("planted")
def test_an_export_has_what_is_theirs_opened_and_exact() -> None:
    exported = {one.table: one for one in db.read(privacy.export, ANA, KEY)}
    assert set(exported) == {"toys.keys", "toys.posts"}
    told = exported["toys.posts"]
    (row,) = (dict(zip(told.columns, one, strict=True)) for one in told.rows)
    assert row == {
        "id": str(ANA),
        "author_id": str(ANA),
        "status": "active",
        "title": "a title",
        "subtitle": "more",
        "contact": "+5511987654321",
        "kept": None,
        "likes": 7,
        "is_new": True,
        "price": "1.10",
        "tags": ["a", "b"],
        "detail": '{"x": [1]}',
        "at": "2026-11-20T10:30:00+00:00",
    }
    assert exported["toys.keys"].columns == ["id", "owner", "device"]
    assert json.dumps(exported["toys.keys"].rows) == f'[["{ANA}", "{ANA}", "a phone"]]'


@pytest.mark.usefixtures("planted")
def test_without_the_key_what_is_sealed_stays_so() -> None:
    for key in (None, b"x" * 32):
        told = {one.table: one for one in db.read(privacy.export, ANA, key)}["toys.posts"]
        assert told.rows[0][told.columns.index("contact")] is None


@pytest.mark.usefixtures("planted")
def test_an_export_is_one_statement_and_of_somebody_unknown_empty() -> None:
    with listening() as said:
        assert db.read(privacy.export, uuid.UUID(int=3), KEY) == []
    assert len(said) == 1


def test_before_the_registry_spoke_nothing_is_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy, "_load", None)
    privacy._erasures.cache_clear()  # noqa: SLF001  made before
    with pytest.raises(RuntimeError):
        db.write(privacy.erase, ANA)


def test_a_column_says_its_fate() -> None:
    assert privacy.fate_of(posts.c.title) is Fate.BLANK
    assert privacy.fate_of(identifier()) is None
