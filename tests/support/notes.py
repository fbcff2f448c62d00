"""Statements on the table `scratch.notes`, for tests of what runs statements."""

from typing import Any

from sqlalchemy import BigInteger, Text, column, text

from chalicelib.core import db
from chalicelib.core.statements import Statement
from tests.support import database


def sql(written: str, *columns: str) -> Statement[Any]:
    """A statement written by hand, with `:named` parameters."""
    return Statement(text(written).columns(*(column(name) for name in columns)))


ADD: Statement[Any] = Statement(
    text("insert into scratch.notes values (:id, :note) returning id").columns(
        column("id", BigInteger)
    )
)
ALL: Statement[Any] = Statement(
    text("select id, note from scratch.notes order by id").columns(
        column("id", BigInteger), column("note", Text)
    )
)


def add(unit: db.Connection, number: int) -> None:
    """Add the note of that number."""
    unit.run(ADD, id=number, note=f"note {number}")


def kept() -> list[int]:
    """The numbers of the notes that stand, seen from outside the program."""
    with database.another_connection() as other:
        return [row[0] for row in other.run("select id from scratch.notes order by id")]
