"""Settings: what an operator may change, declared by the domain that goes by it.

A domain declares a setting in its `tables.py`, with default and bounds, and reads it inside its
statements: a scalar that is the stored value or the default, so no request asks for it apart.
"""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    Text,
    Uuid,
    bindparam,
    cast,
    delete,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from chalicelib.core import audit, clock, rooms
from chalicelib.core.db import Connection
from chalicelib.core.errors import FieldProblem, NotFound, ValidationFailed
from chalicelib.core.statements import command, statement
from chalicelib.core.tables import settings as stored

Kind = Literal["integer", "text", "boolean"]
Value = int | str | bool

MOST_INTEGER = 2**31 - 1
MOST_CHARACTERS = 1000


@dataclass(frozen=True)
class Setting:
    """A setting as its domain declared it. `least` and `most` bound a number, or a text's length."""

    product: str
    key: str
    kind: Kind
    default: Value
    description: str
    least: int
    most: int

    def check(self, value: Value) -> None:
        """ValidationFailed naming `body.value` for another kind, or what is out of bounds."""
        if _kind_of(value) != self.kind:
            raise _wrong(f"{self.kind}_type", f"this setting is of kind {self.kind}")
        size = len(value) if isinstance(value, str) else int(value)
        if self.kind != "boolean" and not self.least <= size <= self.most:
            what = "characters" if self.kind == "text" else "as a number"
            raise _wrong("out_of_bounds", f"from {self.least} to {self.most} {what}")


@dataclass(frozen=True)
class Current:
    """A setting and what it is now; `updated_at` is None while the default holds."""

    setting: Setting
    value: Value
    updated_at: Any
    updated_by: UUID | None


_declared: dict[tuple[str, str], Setting] = {}


def declare(
    product: str,
    key: str,
    *,
    default: Value,
    description: str,
    least: int = 0,
    most: int | None = None,
) -> Setting:
    """Declare a setting of the default's kind; `product` is `all` for one of the kernel's."""
    kind = _kind_of(default)
    highest = MOST_CHARACTERS if kind == "text" else MOST_INTEGER
    told = Setting(
        product, key, kind, default, description, least, highest if most is None else most
    )
    told.check(default)
    if _declared.setdefault((product, key), told) != told:
        raise ValueError(f"{product} has two settings called {key}")
    return told


def integer(product: str, key: str) -> ColumnElement[int]:
    """A Core scalar: the number that is set, or the declared default."""
    return func.coalesce(
        cast(_value_of(_known(product, key, "integer")), Integer),
        literal(_declared[product, key].default, Integer),
    )


def boolean(product: str, key: str) -> ColumnElement[bool]:
    """A Core scalar: whether it is switched on."""
    return func.coalesce(
        cast(_value_of(_known(product, key, "boolean")), Boolean),
        literal(_declared[product, key].default, Boolean),
    )


def text(product: str, key: str) -> ColumnElement[str]:
    """A Core scalar: the words that are set, or the declared default."""
    told = _known(product, key, "text")
    words = _row_of(told, stored.c.value[()].astext)
    return func.coalesce(words, literal(told.default, Text))


def _known(product: str, key: str, kind: Kind) -> Setting:
    told = _declared.get((product, key))
    if told is None or told.kind != kind:
        raise KeyError(f"{product} has declared no {kind} called {key}")
    return told


def _value_of(told: Setting) -> ColumnElement[Any]:
    return _row_of(told, stored.c.value)


def _row_of(told: Setting, shown: ColumnElement[Any]) -> ColumnElement[Any]:
    return (
        select(shown)
        .where(
            stored.c.product == literal(told.product, Text), stored.c.key == literal(told.key, Text)
        )
        .scalar_subquery()
    )


_PRODUCT = bindparam("of_product", type_=Text)
_KEY = bindparam("of_key", type_=Text)
_NOW = bindparam("now", type_=DateTime(timezone=True))

STORED = statement(
    select(stored.c.key, stored.c.value, stored.c.updated_at, stored.c.updated_by).where(
        stored.c.product == _PRODUCT
    )
)
_put = insert(stored).values(
    product=_PRODUCT,
    key=_KEY,
    kind=bindparam("of_kind", type_=Text),
    value=bindparam("new_value", type_=JSONB),
    updated_at=_NOW,
    updated_by=bindparam("by", type_=Uuid),
)
PUT = command(
    _put.on_conflict_do_update(
        index_elements=[stored.c.product, stored.c.key],
        set_={name: _put.excluded[name] for name in ("kind", "value", "updated_at", "updated_by")},
    )
)
RESET = command(delete(stored).where(stored.c.product == _PRODUCT, stored.c.key == _KEY))


def current(db: Connection, product: str) -> list[Current]:
    """Every setting of a product, by key."""
    rooms.load("tables")
    rows = {row[0]: row[1:] for row in db.all(STORED, of_product=product)}
    found = sorted(
        (told for told in _declared.values() if told.product == product), key=lambda one: one.key
    )
    return [Current(told, *rows.get(told.key, (told.default, None, None))) for told in found]


def put(db: Connection, product: str, key: str, value: Value, by: UUID) -> Current:
    """Set a value; NotFound for a key nobody declared, ValidationFailed for a value of no use."""
    told = _existing(db, product, key)
    told.check(value)
    now = clock.now()
    db.run(PUT, of_product=product, of_key=key, of_kind=told.kind, new_value=value, now=now, by=by)
    # A text is somebody's words, which the audit log never holds.
    detail = {"value": value} if told.kind != "text" else {}
    audit.record(db, by, "core.set_setting", f"core.settings:{product}.{key}", detail)
    return Current(told, value, now, by)


def reset(db: Connection, product: str, key: str, by: UUID) -> None:
    """Have the default hold again; NotFound for a key nobody declared."""
    _existing(db, product, key)
    db.run(RESET, of_product=product, of_key=key)
    audit.record(db, by, "core.reset_setting", f"core.settings:{product}.{key}")


def _existing(db: Connection, product: str, key: str) -> Setting:
    # Who asks comes before what there is: no statement has said so yet.
    db.settle()
    rooms.load("tables")
    told = _declared.get((product, key))
    if told is None:
        raise NotFound
    return told


def _kind_of(value: Value) -> Kind:
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "text"


def _wrong(code: str, detail: str) -> ValidationFailed:
    return ValidationFailed(problems=(FieldProblem("body.value", code, detail),))
