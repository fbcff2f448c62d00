"""A database as it is after years: as many rows in every table that grows as somebody asks for.

Each row is made of its number `i` by SQL. Things point at each other by number, and half of what
can be of somebody is of one person (`HEAVY`), whose lists are as long as lists get. Nothing is
due: what jobs look for was done already, as it is on any day.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from pg8000 import native
from sqlalchemy import Boolean, Column, Computed, Date, DateTime, LargeBinary, Numeric, Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Integer

from chalicelib import registry
from chalicelib.kernel.billing.ledger.service import account_id
from local import postgres
from tests.support import volume_rows
from tests.support.volume_rows import Rows

_HANDS = 2
_PATIENCE_SECONDS = 600
_INDEXES = """
    select c.oid::regclass::text, pg_get_indexdef(c.oid)
    from pg_index x join pg_class c on c.oid = x.indexrelid
    where x.indrelid = '{table}'::regclass and not x.indisprimary
        and not exists (select 1 from pg_constraint k where k.conindid = c.oid)"""


def person(number: int) -> UUID:
    """The id of a person; their session is the thing of the same number."""
    return UUID(f"00000000-0000-4000-8000-{number:012x}")


def thing(number: int) -> UUID:
    """The id of the thing of a number, of any kind but people."""
    return UUID(f"01900000-0000-7000-8000-{number:012x}")


HEAVY = person(1)
"""Somebody with half of everything, but blocks: those are BLOCKER's."""
BLOCKER = person(2)


def fill(
    url: str, last: int, tell: Callable[[str], None] = lambda _line: None, *, first: int = 1
) -> None:
    """Add the rows `first` to `last` to every table, and let the planner know."""
    tables = {f"{one.schema}.{one.name}": one for one in registry.tables().sorted_tables}
    with _connected(url) as connection:
        connection.run(volume_rows.FUNCTIONS)
        indexes = {name: connection.run(_INDEXES.format(table=name)) or [] for name in tables}
        indexes = {name: indexes[name] for name in volume_rows.ROWS}
        for index, _ in (one for some in indexes.values() for one in some):
            connection.run(f"drop index {index}")
    names = sorted(volume_rows.ROWS, key=lambda name: len(indexes[name]))
    done: list[str] = []

    def work(connection: native.Connection) -> None:
        while True:
            try:
                name = names.pop()
            except IndexError:
                return
            connection.run(_insertion(tables[name], volume_rows.ROWS[name], first, last))
            for _, definition in indexes[name]:
                connection.run(definition)
            connection.run(f"vacuum analyze {name}")
            done.append(name)
            tell(f"{len(done)} of {len(indexes)} tables of {last:,} rows")

    _by_hands(url, work)


def _by_hands(url: str, work: Callable[[native.Connection], None]) -> None:
    failures: list[Exception] = []

    def hand() -> None:
        try:
            with _connected(url) as connection:
                work(connection)
        except Exception as error:  # noqa: BLE001  raised again by whoever started the hand
            failures.append(error)

    hands = [threading.Thread(target=hand) for _ in range(_HANDS)]
    for one in hands:
        one.start()
    for one in hands:
        one.join()
    for error in failures:
        raise error


@contextmanager
def _connected(url: str) -> Iterator[native.Connection]:
    """A connection that neither keys nor triggers hold up."""
    with postgres.connected(url) as connection:
        # An index of a million rows takes a while.
        connection._usock.settimeout(_PATIENCE_SECONDS)  # noqa: SLF001  pg8000 has no setter
        connection.run("set session_replication_role = replica")
        connection.run("set maintenance_work_mem = '256MB'")
        yield connection


def _insertion(table: Table, rows: Rows, first: int, last: int) -> str:
    given = {
        one.name: rows.values.get(one.name) or _plain(one)
        for one in table.c
        if one.name in rows.values or not (one.nullable or isinstance(one.server_default, Computed))
    }
    wallet = account_id("wallet", "contact", HEAVY)
    issuer = account_id("issuer", "contact")
    chosen = ", ".join(given.values())
    sql = (
        f"insert into {table.schema}.{table.name} ({', '.join(given)}) select {chosen}"
        f" from generate_series({first}, {last}) i where {rows.only}"
    )
    return sql.replace(":wallet", f"'{wallet}'::uuid").replace(":issuer", f"'{issuer}'::uuid")


def _plain(column: Column[object]) -> str:
    """A value for a column about which nothing is said."""
    if column.name == "user_id":
        return "person(i)"
    kinds: list[tuple[type, str]] = [
        (Uuid, "thing(i)"),
        (Boolean, "false"),
        (Integer, "0"),
        (Numeric, "0"),
        (DateTime, "moment(i)"),
        (Date, "moment(i)::date"),
        (LargeBinary, "'\\x00'::bytea"),
        (JSONB, "'{}'::jsonb"),
    ]
    return next((told for kind, told in kinds if isinstance(column.type, kind)), "'x' || i")
