"""Statements on the table `scratch.notes`, for tests of what runs statements."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, Text, column, text

from chalicelib.core import db
from chalicelib.core.db import Prelude
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


ONE = sql("select 1 as one", "one")


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


class Counted:
    """Work that counts its runs."""

    def __init__(self, work: Callable[[db.Connection], Any]) -> None:
        self.work, self.runs = work, 0

    def __call__(self, unit: db.Connection) -> Any:
        """Run it once more."""
        self.runs += 1
        return self.work(unit)
