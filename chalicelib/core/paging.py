"""Lists, by keyset: a page begins after the last row of the one before, however deep it is.

PostgreSQL builds the whole page, cursor included, from an ordinary select, so a list is one
statement and one round trip. A cursor is base64url of a digest of the filters and the last row's
sort values. With other filters, or without their form, it is refused; one that somebody made up
in that form is a place in the list like any other, since what is seen there is up to the list.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import Field
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.selectable import Select

from chalicelib.core.db import Connection
from chalicelib.core.errors import FieldProblem, ValidationFailed
from chalicelib.core.schemas import Limit, Schema
from chalicelib.core.statements import Json, Statement, statement

T = TypeVar("T")

_LAST_ID = UUID(int=(1 << 128) - 1)
_FIRST_ID = UUID(int=0)
_FIRST_MOMENT = datetime(1, 1, 2, tzinfo=UTC)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
_LAST_INTEGER = (1 << 31) - 1
_LAST_BIG_INTEGER = (1 << 63) - 1
_MAX_CURSOR = 300


class PageQuery(Schema):
    """What every list takes; a list with filters adds them."""

    limit: Limit = 20
    cursor: str | None = Field(
        None, max_length=_MAX_CURSOR, description="`next_cursor` of the page before."
    )

    def digest(self) -> str:
        """What of the query a cursor is bound to."""
        filters = self.model_dump_json(exclude={"limit", "cursor"})
        return hashlib.sha256(filters.encode()).hexdigest()[:12]


class Page(Schema, Generic[T]):
    """A page of a list; `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None


class PagedStatement:
    """A select whose pages PostgreSQL writes as JSON, sorted by `sort`, all in one direction.

    `within` narrows it to one value of each of these columns, the parameter of its name. That is
    said as a part of the order, so that only an index of that order serves: by any other, a page
    of what is rare would be looked for among all the rest.
    """

    def __init__(
        self,
        core: Select[*tuple[Any, ...]],
        *sort: ColumnElement[Any],
        ascending: bool = False,
        within: Mapping[str, Column[Any]] = MappingProxyType({}),
    ) -> None:
        self._sort, self._ascending = sort, ascending
        ordered = [*within.values(), *sort]
        part = [bindparam(name, type_=column.type) for name, column in within.items()]
        after = [bindparam(f"after_{at}", type_=column.type) for at, column in enumerate(sort)]
        shown: list[Any] = []
        for column in core.selected_columns:
            # Names are ours, never a caller's; as literals they need no parameter each.
            shown += [literal_column(f"'{column.key}'"), column]
        keys = [column.label(f"key_{at}") for at, column in enumerate(sort)]
        first, last = tuple_(*ordered), tuple_(*part, *after)
        begun = first > last if ascending else first < last
        if within:
            inner, end = tuple_(*within.values()), tuple_(*part)
            begun = and_(begun, inner <= end if ascending else inner >= end)
        rows = (
            core.with_only_columns(func.json_build_object(*shown).label("item"), *keys)
            .where(begun)
            .order_by(*(_ordered(column, ascending=ascending) for column in ordered))
            .limit(bindparam("limit", type_=Integer) + 1)
            .subquery("rows")
        )
        numbered = select(
            rows,
            func.row_number()
            .over(order_by=[_ordered(rows.c[key.name], ascending=ascending) for key in keys])
            .label("place"),
        ).subquery("numbered")
        on_page = numbered.c.place <= bindparam("limit", type_=Integer)
        place = func.json_build_array(
            bindparam("filters", type_=Text), *(numbered.c[key.name] for key in keys)
        )
        encoded = func.translate(
            func.encode(func.convert_to(cast(place, Text), "UTF8"), "base64"),
            literal("+/=\n"),
            literal("-_"),
        )
        is_last = numbered.c.place == bindparam("limit", type_=Integer)
        items = func.json_agg(aggregate_order_by(numbered.c.item, numbered.c.place.asc())).filter(
            on_page
        )
        answer = func.json_build_object(
            "items",
            func.coalesce(items, func.json_build_array()),
            "next_cursor",
            case(
                (
                    func.count() > bindparam("limit", type_=Integer),
                    func.max(encoded).filter(is_last),
                )
            ),
        )
        self.statement: Statement[tuple[str]] = statement(
            select(cast(answer, Text)).select_from(numbered)
        )

    def after(self, query: PageQuery) -> dict[str, Any]:
        """The sort values a page begins after, as parameters."""
        digest = query.digest()
        values = _read(query.cursor, digest, len(self._sort)) if query.cursor else None
        return {"filters": digest} | {
            f"after_{at}": _value(column, values[at])
            if values
            else _before_all(column, ascending=self._ascending)
            for at, column in enumerate(self._sort)
        }


Filter = Column[Any] | ColumnElement[bool] | Mapping[Any, ColumnElement[bool]]


class Narrowed:
    """A list that filters narrow: a statement for each set of them, each by the index that fits.

    PostgreSQL keeps one plan for all values of a statement, so a filter that may be missing would
    have it read the whole list. A filter is named as the query's field. It is a condition on the
    parameter of that name, which few rows fit; a column that an index begins with, where that may
    be many; or a condition for each value, where they are a few words (`each`).
    """

    def __init__(
        self,
        core: Select[*tuple[Any, ...]],
        *sort: ColumnElement[Any],
        ascending: bool = False,
        **filters: Filter,
    ) -> None:
        self._core, self._sort, self._ascending = core, sort, ascending
        self._filters = filters
        self._statements: dict[tuple[tuple[str, Any], ...], PagedStatement] = {}

    def by(self, query: PageQuery) -> tuple[PagedStatement, dict[str, Any]]:
        """The statement for the filters that a query sets, and its parameters."""
        asked = {name: getattr(query, name) for name in self._filters}
        asked = {name: value for name, value in asked.items() if value is not None}
        written = {name for name in asked if isinstance(self._filters[name], Mapping)}
        key = tuple((name, value if name in written else None) for name, value in asked.items())
        if key not in self._statements:
            self._statements[key] = self._paged(asked)
        return self._statements[key], {n: value for n, value in asked.items() if n not in written}

    def _paged(self, asked: Mapping[str, Any]) -> PagedStatement:
        core, within = self._core, {}
        for name, value in asked.items():
            told = self._filters[name]
            if isinstance(told, Column):
                within[name] = told
            else:
                core = core.where(told[value] if isinstance(told, Mapping) else told)
        return PagedStatement(core, *self._sort, ascending=self._ascending, within=within)


def each(column: ColumnElement[str], *values: str) -> dict[str, ColumnElement[bool]]:
    """That a column is one of a few words, each written out: how rare it is decides on the index."""
    return {one: column == literal_column(f"'{one}'") for one in values}


def narrowed_page(
    db: Connection, narrowed: Narrowed, query: PageQuery, **given: Any
) -> Json[Page[Any]]:
    """One page of a list, by the filters that the query sets."""
    paged, asked = narrowed.by(query)
    return page(db, paged, query, **given, **asked)


def page(db: Connection, paged: PagedStatement, query: PageQuery, **given: Any) -> Json[Page[Any]]:
    """One page; ValidationFailed names `query.cursor` when it is not one of ours for this query."""
    answer = db.json(paged.statement, limit=query.limit, **paged.after(query), **given)
    if answer is None:
        raise RuntimeError("an aggregate returned no row")
    return answer


def _bad_cursor() -> ValidationFailed:
    detail = "not a cursor of this list with these filters"
    return ValidationFailed(problems=(FieldProblem("query.cursor", "cursor", detail),))


def _read(cursor: str, digest: str, length: int) -> list[Any]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        told = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _bad_cursor() from error
    if not isinstance(told, list) or len(told) != length + 1 or told[0] != digest:
        raise _bad_cursor()
    return told[1:]


def _ordered(column: ColumnElement[Any], *, ascending: bool) -> ColumnElement[Any]:
    return column.asc() if ascending else column.desc()


def _before_all(column: ColumnElement[Any], *, ascending: bool) -> Any:
    """What sorts before every row of a column."""
    kind = column.type
    if isinstance(kind, Uuid):
        return _FIRST_ID if ascending else _LAST_ID
    if isinstance(kind, Integer):
        highest = _highest(kind)
        return -highest - 1 if ascending else highest
    return _FIRST_MOMENT if ascending else _LAST_MOMENT


def _highest(kind: Integer) -> int:
    return _LAST_BIG_INTEGER if isinstance(kind, BigInteger) else _LAST_INTEGER


def _value(column: ColumnElement[Any], told: Any) -> Any:
    """A sort value of a cursor, as its column's type."""
    kind = column.type
    try:
        if isinstance(kind, Uuid):
            return UUID(told)
        if isinstance(kind, Integer):
            highest = _highest(kind)
            if type(told) is not int or not -highest - 1 <= told <= highest:
                raise _bad_cursor()
            return told
        moment = datetime.fromisoformat(told)
        if moment.tzinfo is None:
            raise _bad_cursor()
        return moment.astimezone(UTC)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _bad_cursor() from error
