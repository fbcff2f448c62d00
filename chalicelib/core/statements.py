"""SQLAlchemy Core writes the SQL, once; what runs it knows names, types and nothing of engines."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, TypeVarTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    Table,
    Text,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects.postgresql.pg8000 import PGCompiler_pg8000, PGDialect_pg8000
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import CompilerElement
from sqlalchemy.sql.selectable import Select, TypedReturnsRows, _OffsetLimitParam

from chalicelib.core.driver import Call, Reply, Row

R = TypeVar("R")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Process = Callable[[Any], Any]


class _Compiler(PGCompiler_pg8000):
    """Writes what never changes into the text, so that the planner sees it and nothing is sent."""

    def visit_bindparam(self, bindparam: BindParameter[Any], *how: Any, **more: Any) -> str:
        """A constant as a literal of its type, and all else as the parameter it is."""
        value = bindparam.value
        fixed = bindparam.unique and not bindparam.required and not bindparam.expanding
        # A limit that it knows lets the planner sort all of what it wrongly takes for few.
        fixed = fixed and not isinstance(bindparam, _OffsetLimitParam)
        if not (fixed and type(value) in {int, str} and _PLAIN.fullmatch(str(value))):
            place: str = super().visit_bindparam(bindparam, *how, **more)  # type: ignore[no-untyped-call]
            return place
        kind = bindparam.type.dialect_impl(self.dialect)
        literal = str(value) if type(value) is int else f"'{value}'"
        # With the cast that a parameter has: a bare number in ORDER BY would be a column's place.
        typed: str = self.render_bind_cast(bindparam.type, kind, literal)  # type: ignore[no-untyped-call]
        return typed


# The dialect renders numbered parameters with their casts, and knows which values pg8000 converts.
_DIALECT = PGDialect_pg8000(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_DIALECT.statement_compiler = _Compiler
# Only numbers with decimals ask what the server calls them; it is known when rows come, not before.
_NUMERIC_OID = 1700
# Constants that need no quoting and can't be taken for a parameter.
_PLAIN = re.compile(r"[\w .:/-]*", re.ASCII)
# A parameter's place; nothing else has this form, since literals are plain.
_PARAMETER = re.compile(rb"\$(\d+)")


class Statement(Generic[R]):
    """A Core statement with named parameters, compiled at its first use; rows are tuples `R`."""

    def __init__(self, core: Executable) -> None:
        self._core = core
        self._sql: bytes | None = None
        self._order: tuple[str, ...] = ()
        self._bound: dict[str, Any] = {}
        self._required: frozenset[str] = frozenset()
        self._binders: Mapping[str, Process] = {}
        self._getters: tuple[Process | None, ...] | None = None
        self._beneath: dict[Statement[Any], bytes] = {}

    @property
    def selects(self) -> bool:
        """Whether it is a select, so that it may stand within another."""
        return isinstance(self._core, Select)

    @property
    def sql(self) -> str:
        """The text that is sent."""
        return self._compiled().decode()

    def call(self, given: Mapping[str, Any]) -> Call:
        """The call with these values; TypeError names parameters that are missing or unknown."""
        sql = self._compiled()
        # Mostly they are just those that are required, which is found out at once.
        if given.keys() != self._required:
            wrong = (given.keys() - self._bound.keys()) | (self._required - given.keys())
            if wrong:
                raise TypeError(f"parameters missing or unknown: {', '.join(sorted(wrong))}")
        values = {**self._bound, **given}
        if self._binders:
            for name, bind in self._binders.items():
                values[name] = bind(values[name])
        return Call(sql, [values[name] for name in self._order])

    def beneath(self, outer: "Statement[Any]") -> bytes:
        """The text of one statement that gives the rows of `outer`, each with this one's value.

        This statement has one column and at most one row. The parameters of `outer` come first.
        """
        text = self._beneath.get(outer)
        if text is None:
            around, given_before = outer._compiled(), len(outer._order)  # noqa: SLF001  its own kind
            within = _PARAMETER.sub(
                lambda found: b"$%d" % (int(found[1]) + given_before), self._compiled()
            )
            # Both are Core's texts, and the parameters stay parameters.
            parts = (b"SELECT outermost.*, (", within, b") FROM (", around, b") outermost")
            text = b"".join(parts)
            self._beneath[outer] = text
        return text

    def rows(self, reply: Reply) -> list[Row]:
        """The reply's rows, with what SQLAlchemy's types still have to convert."""
        if self._getters is None:
            return reply.rows
        return [
            tuple(
                get(value) if get else value for get, value in zip(self._getters, row, strict=True)
            )
            for row in reply.rows
        ]

    def _compiled(self) -> bytes:
        if self._sql is not None:
            return self._sql
        if not isinstance(self._core, CompilerElement):
            raise TypeError("not a statement that can be compiled")
        compiled = self._core.compile(dialect=_DIALECT)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError("not a statement with parameters")
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise TypeError("in_() can't be compiled once: use == any_(array)")
        self._order = tuple(compiled.positiontup or ())
        self._bound = dict(compiled.params)
        # By name as sent: `binds` also holds literals under names that are not.
        named = {name: bind for bind, name in compiled.bind_names.items()}
        self._required = frozenset(name for name, bind in named.items() if bind.required)
        self._binders = {
            name: process
            for name, bind in named.items()
            if (process := bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT))
        }
        getters = tuple(
            entry.type.dialect_impl(_DIALECT).result_processor(_DIALECT, _NUMERIC_OID)
            for entry in compiled._result_columns  # noqa: SLF001  no public name for it
        )
        self._getters = getters if any(getters) else None
        self._sql = compiled.string.encode()
        return self._sql


class Json(Generic[T]):
    """An answer of schema `T` that PostgreSQL already wrote as JSON text."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def statement(core: TypedReturnsRows[*Ts]) -> Statement[tuple[*Ts]]:
    """A statement that returns rows."""
    return Statement(core)


def command(core: Executable) -> Statement[tuple[()]]:
    """A statement of which only the number of rows matters."""
    return Statement(core)


def json_object(core: Select[*tuple[Any, ...]]) -> Statement[tuple[str]]:
    """A select whose one row PostgreSQL returns as the text of a JSON object."""
    inner = core.subquery("answer")
    return Statement(select(cast(func.to_json(column("answer")), Text)).select_from(inner))


def place_of(table: Table) -> ColumnElement[Any]:
    """Where a row lies, for a batch of a table whose key is of several columns.

    Only of rows that the same statement locks: others may have moved. By it a batch is found
    without the rest of the table, however PostgreSQL would join by the key.
    """
    return column("ctid", _selectable=table)
