"""Erasing and exporting a person, as the tables' own tags say.

A table that holds something of a person names the column that says whose it is
(`info={"owner": "user_id"}`), and each of its text columns says what erasure does to it (`Fate`).
Where a rule of the table needs more than emptiness, it names the values that erased rows take
(`info={"erased": {"status": "removed"}}`); where a row also tells who else had to do with it, it
names the columns that its owner is not shown (`info={"hidden": ("decided_by",)}`). From that the
statements follow, for every domain at once and in one transaction; a new column can't be
forgotten, because one without a tag fails a test.
"""

import base64
import json
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnElement,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    delete,
    func,
    literal_column,
    select,
    union_all,
    update,
)

from chalicelib.core import sealing
from chalicelib.core.columns import Fate
from chalicelib.core.db import Connection
from chalicelib.core.statements import Statement, command, statement

OWNER = "owner"
ERASED = "erased"
HIDDEN = "hidden"
SECRET = "secret"  # noqa: S105  the name of a tag
_PERSON = bindparam("person", type_=Uuid)
_EMPTY = ""

Cell = str | int | bool | None | list[str]

_load: Callable[[], MetaData] | None = None


class Exported(NamedTuple):
    """What a table holds of a person, without what nobody is shown."""

    table: str
    columns: list[str]
    rows: list[list[Cell]]


def use_tables(load: Callable[[], MetaData]) -> None:
    """Tell where all tables are: they are loaded only when somebody is erased or exported."""
    global _load  # noqa: PLW0603  set once, by the registry
    _load = load


def _owned() -> list[tuple[Table, ColumnElement[bool]]]:
    """The tables that hold something of a person, those that refer to others first."""
    if _load is None:
        raise RuntimeError("the registry has not said where the tables are")
    found = [table for table in reversed(_load().sorted_tables) if OWNER in table.info]
    return [(table, _is_theirs(table.c[table.info[OWNER]])) for table in found]


def _is_theirs(owner: Column[Any]) -> ColumnElement[bool]:
    return owner == (cast(_PERSON, Text) if isinstance(owner.type, Text) else _PERSON)


def fate_of(one: Column[Any]) -> Fate | None:
    """What erasure does to a column; None for one that holds no words."""
    return one.info.get("pii")


@cache
def _erasures() -> list[Statement[tuple[()]]]:
    statements = []
    for table, is_theirs in _owned():
        if any(fate_of(one) is Fate.DELETE for one in table.c):
            statements.append(command(delete(table).where(is_theirs)))
            continue
        values = {one.name: _blank(one) for one in table.c if _is_blanked(one)}
        values |= table.info.get(ERASED, {})
        if values:
            statements.append(command(update(table).where(is_theirs).values(values)))
    return statements


def _is_blanked(one: Column[Any]) -> bool:
    """Encrypted bytes die with their key; where they may, they go at once."""
    return fate_of(one) is Fate.BLANK or (fate_of(one) is Fate.ENCRYPTED and bool(one.nullable))


def _blank(one: Column[Any]) -> str | list[str] | None:
    if one.nullable:
        return None
    return [] if isinstance(one.type, ARRAY) else _EMPTY


def erase(db: Connection, person: UUID) -> None:
    """Blank and delete what is of a person, in every table, in the flush of COMMIT."""
    for one in _erasures():
        db.later(one, person=person)


def _shown(table: Table) -> list[Column[Any]]:
    hidden = table.info.get(HIDDEN, ())
    return [one for one in table.c if not one.info.get(SECRET) and one.name not in hidden]


def _cell(one: Column[Any]) -> ColumnElement[Any]:
    """A column as a JSON value that is exact: numbers with a point and documents as text."""
    if isinstance(one.type, LargeBinary):
        return func.encode(one, literal_column("'base64'"))
    return cast(one, Text) if isinstance(one.type, (JSON, Numeric)) else one


@cache
def _export() -> Statement[tuple[str, str]]:
    """One statement, so that the whole is of one moment."""
    parts = []
    for table, is_theirs in _owned():
        cells = func.json_build_array(*(_cell(one) for one in _shown(table)))
        ordered = select(cells.label("cells")).where(is_theirs).order_by(*table.primary_key)
        rows = cast(func.json_agg(column("cells")), Text).label("rows")
        name = literal_column(f"'{table}'", Text).label("name")
        parts.append(select(name, rows).select_from(ordered.subquery()))
    every = union_all(*parts).subquery("every")
    return statement(
        select(every.c.name, every.c.rows)
        .where(every.c.rows.is_not(None))
        .order_by(every.c.name.asc())
    )


def export(db: Connection, person: UUID, key: bytes | None) -> list[Exported]:
    """What is of a person, by table; what was sealed under their data key is opened."""
    tables = {str(table): table for table, _ in _owned()}
    return [
        _exported(tables[name], json.loads(rows), key)
        for name, rows in db.all(_export(), person=person)
    ]


def _exported(table: Table, rows: list[list[Cell]], key: bytes | None) -> Exported:
    shown = _shown(table)
    names = [one.name for one in shown]
    sealed = [at for at, one in enumerate(shown) if isinstance(one.type, LargeBinary)]
    if sealed:
        identifier = names.index(next(iter(table.primary_key)).name)
        for row in rows:
            for at in sealed:
                row[at] = _opened(key, f"{table}.{names[at]}:{row[identifier]}", row[at])
    return Exported(str(table), names, rows)


def _opened(key: bytes | None, row: str, sealed: Cell) -> str | None:
    """The text that was sealed for a row; None where it is not this person's to open."""
    if key is None or not isinstance(sealed, str):
        return None
    try:
        return sealing.unseal(key, row, base64.b64decode(sealed)).decode()
    except sealing.CannotOpen:
        return None
