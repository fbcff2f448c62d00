"""Erasing and exporting a person, as the tables' own tags say.

A table that holds something of a person names the column that says whose it is
(`info={"owner": "user_id"}`), and each of its text columns says what erasure does to it (`Fate`).
From that the statements follow, for every domain at once and in one transaction; a new column
can't be forgotten, because one without a tag fails a test.
"""

from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    MetaData,
    Table,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    delete,
    func,
    select,
    update,
)

from chalicelib.core.columns import Fate
from chalicelib.core.db import Connection
from chalicelib.core.statements import Statement, command, statement

OWNER = "owner"
_PERSON = bindparam("person", type_=Uuid)
_ERASED = ""

_load: Callable[[], MetaData] | None = None


def use_tables(load: Callable[[], MetaData]) -> None:
    """Tell where all tables are: they are loaded only when somebody is erased or exported."""
    global _load  # noqa: PLW0603  set once, by the registry
    _load = load


def _owned() -> list[tuple[Table, Column[Any]]]:
    """The tables that hold something of a person, those that refer to others first."""
    if _load is None:
        raise RuntimeError("the registry has not said where the tables are")
    found = [table for table in reversed(_load().sorted_tables) if OWNER in table.info]
    return [(table, table.c[table.info[OWNER]]) for table in found]


def fate_of(one: Column[Any]) -> Fate | None:
    """What erasure does to a column; None for one that holds no words."""
    return one.info.get("pii")


@cache
def _erasures() -> list[Statement[tuple[()]]]:
    statements = []
    for table, owner in _owned():
        fates = {one.name: fate_of(one) for one in table.c}
        if Fate.DELETE in fates.values():
            statements.append(command(delete(table).where(owner == _PERSON)))
            continue
        blanks = {
            name: None if table.c[name].nullable else _ERASED
            for name, fate in fates.items()
            if fate is Fate.BLANK
        }
        blanks |= {
            name: None
            for name, fate in fates.items()
            if fate is Fate.ENCRYPTED and table.c[name].nullable
        }
        if blanks:
            statements.append(command(update(table).where(owner == _PERSON).values(blanks)))
    return statements


def erase(db: Connection, person: UUID) -> None:
    """Blank and delete what is of a person, in every table; what is encrypted dies with its key."""
    for one in _erasures():
        db.run(one, person=person)


@cache
def _exports() -> list[tuple[str, Statement[tuple[str]]]]:
    exports = []
    for table, owner in _owned():
        shown = [one for one in table.c if fate_of(one) not in (Fate.DELETE, Fate.ENCRYPTED)]
        rows = select(*shown).where(owner == _PERSON).subquery("rows")
        written = func.coalesce(func.json_agg(column("rows")), func.json_build_array())
        exports.append((str(table), statement(select(cast(written, Text)).select_from(rows))))
    return exports


def export(db: Connection, person: UUID) -> dict[str, str]:
    """The rows of a person: `schema.table` to the text of a JSON array. Secrets stay out of it."""
    found = {}
    for name, one in sorted(_exports()):
        row = db.one(one, person=person)
        if row is not None and row[0] != "[]":
            found[name] = row[0]
    return found
