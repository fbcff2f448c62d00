"""A list of things, sorted in several ways, and its pages."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    select,
)

from chalicelib.core import db, paging
from chalicelib.core.paging import PagedStatement, PageQuery
from tests.support import database

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("rank", Integer, nullable=False),
    Column("score", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    schema="scratch",
)
C = THINGS.c
SHOWN = select(C.id, C.rank, C.kind)
SORTS: dict[str, tuple[Any, ...]] = {
    "id": (C.id,),
    "rank": (C.rank, C.id),
    "score": (C.score, C.id),
    "at": (C.at, C.id),
    "all": (C.rank, C.at, C.score, C.id),
}
PAGED = {
    (name, ascending): PagedStatement(SHOWN, *sort, ascending=ascending)
    for name, sort in SORTS.items()
    for ascending in (True, False)
}
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def create() -> None:
    """Make the table, in the scratch schema."""
    database.execute(
        "create table scratch.things (id uuid primary key, rank int not null,"
        " score bigint not null, at timestamptz not null, kind text not null)"
    )


def put(rank: int = 0, score: int = 0, at: datetime = NOW, identifier: UUID | None = None) -> UUID:
    """Add a thing."""
    made = identifier or uuid.uuid4()
    database.execute(
        "insert into scratch.things values ($1, $2, $3, $4, 'x')", made, rank, score, at
    )
    return made


def page(paged: PagedStatement, query: PageQuery) -> dict[str, Any]:
    """A page of the things."""
    found: dict[str, Any] = json.loads(db.read(lambda unit: paging.page(unit, paged, query)).text)
    return found
