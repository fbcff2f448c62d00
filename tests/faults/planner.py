"""What PostgreSQL is going to do for a statement, and how much of a table it reads doing so.

A prepared statement has one plan for all its values, so it is that one which is looked at. What
is estimated shows whether a large table is read from end to end; what is run, with values that
somebody really gave and with filters that nothing fits, shows how far a walk that stops early
goes at worst.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pg8000 import native
from pg8000.converters import PY_TYPES, make_param
from pg8000.exceptions import DatabaseError

Node = dict[str, Any]

LARGE = 10_000
"""Rows, beyond which a table is not read whole while somebody waits."""
_MUCH = 0.1
_SCANS = {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}
_BLOCKING = {"Sort", "Aggregate", "Hash", "HashAggregate", "Group", "ModifyTable", "LockRows"}
_BITMAPS = {"Bitmap Heap Scan", "BitmapOr", "BitmapAnd"}
_NOTHING = {
    "text": "'nothing of the kind'",
    "citext": "'nothing of the kind'",
    "uuid": "'ffffffff-0000-7000-8000-000000000000'",
    "boolean": "false",
}
"""For each type of filter a value that no row has."""
_SIZES = """
    select n.nspname || '.' || c.relname, greatest(c.reltuples, 0)::bigint
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'i') and n.nspname not in ('pg_catalog', 'information_schema')"""


@dataclass
class Planner:
    """A connection that plans statements as the program's own does."""

    connection: native.Connection
    large: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Learn which tables are large."""
        self.connection.run("set plan_cache_mode = force_generic_plan")
        sizes = self.connection.run(_SIZES) or []
        self.large = {name: rows for name, rows in sizes if rows > LARGE}

    def whole(self, sql: str) -> list[str]:
        """What of a statement reads a large table from end to end, by the planner's estimates."""
        kinds = self._prepare(sql)
        try:
            return sorted(set(self._whole(self._explained(["null"] * len(kinds)), limited=False)))
        finally:
            self.connection.run("deallocate looked_at")

    def most_read(self, sql: str, values: Sequence[Any]) -> tuple[int, str]:
        """The most rows of a large table that the statement looks at, and of which.

        With these values, and with each one that is null replaced by a filter that nothing fits.
        """
        kinds = self._prepare(sql)
        given = [literal(value) for value in values]
        tries = [given]
        for at, kind in enumerate(kinds):
            if given[at] == "null" and kind in _NOTHING:
                tries.append([*given[:at], _NOTHING[kind], *given[at + 1 :]])
        most = (0, "")
        try:
            for told in tries:
                self.connection.run("begin")
                # What was done once may not be done again; then nothing of a table is to be read.
                with suppress(DatabaseError):
                    plan = self._explained(told, "analyze, timing off, ")
                    read = _read(plan)
                    most = max(
                        [most, *((rows, name) for name, rows in read.items() if name in self.large)]
                    )
                self.connection.run("rollback")
        finally:
            self.connection.run("deallocate looked_at")
        return most

    def _prepare(self, sql: str) -> list[str]:
        self.connection.run(f"prepare looked_at as {sql}")
        found = self.connection.run(
            "select parameter_types::text[] from pg_prepared_statements where name = 'looked_at'"
        )
        assert found
        kinds: list[str] = found[0][0]
        return kinds

    def _explained(self, values: Sequence[str], how: str = "") -> Node:
        given = f"({', '.join(values)})" if values else ""
        rows = self.connection.run(f"explain ({how}verbose, format json) execute looked_at{given}")
        assert rows
        told = rows[0][0]
        plan: Node = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
        return plan

    def _whole(self, node: Node, *, limited: bool) -> Iterator[str]:
        kind = node["Node Type"]
        table = _table(node)
        rows = self.large.get(table)
        if rows and kind == "Seq Scan":
            yield f"{table} from end to end"
        elif rows and kind in _SCANS and not limited:
            if "Index Cond" not in node:
                # What a partial index has of a large table may well be read.
                if self._is_large(node["Schema"], node["Index Name"]):
                    yield f"{table} by all of {node['Index Name']}"
            elif node["Plan Rows"] > rows * _MUCH:
                yield f"{table} by {node['Plan Rows']:,} of {rows:,} in {node['Index Name']}"
        limited = kind == "Limit" or (limited and kind not in _BLOCKING)
        for inner in node.get("Plans", []):
            # An index below a bitmap does not say of which table it is.
            known = {name: node[name] for name in ("Schema", "Relation Name") if kind in _BITMAPS}
            apart = inner.get("Parent Relationship") in {"InitPlan", "SubPlan"}
            yield from self._whole(known | inner, limited=limited and not apart)

    def _is_large(self, schema: str, index: str) -> bool:
        return f"{schema}.{index}" in self.large


def literal(value: Any) -> str:
    """A value as the program's driver says it, to stand in a statement."""
    told = make_param(PY_TYPES, value)
    return "null" if told is None else "'" + str(told).replace("'", "''") + "'"


def _table(node: Node) -> str:
    return f"{node.get('Schema')}.{node.get('Relation Name')}"


def _read(node: Node) -> dict[str, int]:
    """How many rows of each table were looked at."""
    found: dict[str, int] = {}
    table = node.get("Relation Name")
    if table and node["Node Type"] != "ModifyTable":
        rows = sum(
            node.get(name, 0)
            for name in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        )
        found[_table(node)] = int(rows * node["Actual Loops"])
    for inner in node.get("Plans", []):
        for name, rows in _read(inner).items():
            found[name] = found.get(name, 0) + rows
    return found
