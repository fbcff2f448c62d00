"""Where the fake keeps what it was told: one SQLite file of its own.

The fake stands in for Stripe's servers, so it shares nothing with our database: it goes on when
PostgreSQL is down, is never rolled back with us, and is thrown away by deleting a file. SQLite is
in the standard library and, with a write-ahead log flushed at each commit, has everything on disk
before an answer leaves, whatever is killed. Objects are rows of JSON, exactly as the API shows
them, with what Stripe keeps to itself in a column beside.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.stripe.errors import Json

_TABLES = """
create table if not exists objects (
    sequence integer primary key, id text not null unique, kind text not null,
    body text not null, private text not null, due integer);
create index if not exists objects_by_kind on objects (kind, sequence);
create index if not exists objects_by_due on objects (due) where due is not null;
create index if not exists objects_by_intent
    on objects (kind, json_extract(body, '$.payment_intent'));
create index if not exists objects_by_charge on objects (kind, json_extract(body, '$.charge'));
create table if not exists idempotency (
    key text primary key, created integer not null, path text not null, fingerprint text not null,
    status integer not null, body text not null);
create index if not exists idempotency_by_age on idempotency (created);
create table if not exists deliveries (
    sequence integer primary key, event text not null unique, state text not null,
    next_attempt real not null);
create index if not exists deliveries_by_state on deliveries (state, next_attempt);
create table if not exists attempts (
    sequence integer primary key, event text not null, at real not null, status integer,
    error text, milliseconds real not null);
create index if not exists attempts_by_event on attempts (event);
create table if not exists settings (name text primary key, value text not null);
"""
_TABLE_NAMES = ("objects", "idempotency", "deliveries", "attempts", "settings")


class Transaction:
    """The store while one transaction is open. Only `Store.transaction` makes one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.has_deliveries = False

    def execute(self, sql: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(sql, values)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo what the block did when it raises; the transaction itself goes on."""
        self.execute("savepoint work")
        try:
            yield
        except BaseException:
            self.execute("rollback to work")
            raise
        finally:
            self.execute("release work")

    def find(self, kind: str, identifier: str) -> Json | None:
        """The object of this kind and id, or None."""
        row = self.execute(
            "select body from objects where id = ? and kind = ?", (identifier, kind)
        ).fetchone()
        return None if row is None else _object(row[0])

    def private(self, identifier: str) -> Json:
        """What Stripe keeps to itself about an object."""
        row = self.execute("select private from objects where id = ?", (identifier,)).fetchone()
        return {} if row is None else _object(row[0])

    def put(self, body: Json, *, due: int | None = None, private: Json | None = None) -> None:
        """Write an object, new or changed. `due` is when the clock must look at it again, in epoch
        seconds; `private` None leaves that as it is.
        """
        self.execute(
            "insert into objects (id, kind, body, private, due) values (?, ?, ?, ?, ?)"
            " on conflict (id) do update set body = excluded.body, due = excluded.due,"
            " private = coalesce(?, private)",
            (
                body["id"],
                body["object"],
                json.dumps(body),
                json.dumps(private or {}),
                due,
                None if private is None else json.dumps(private),
            ),
        )

    def select(
        self, where: str, values: Sequence[object] = (), *, order: str = "sequence desc", limit: int
    ) -> list[Json]:
        """The bodies of the objects that meet a condition written in this package."""
        sql = f"select body from objects where {where} order by {order} limit ?"  # noqa: S608 - ours
        return [_object(row[0]) for row in self.execute(sql, (*values, limit))]

    def setting(self, name: str) -> str | None:
        """A setting that outlives the process, or None."""
        row = self.execute("select value from settings where name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, name: str, value: str) -> None:
        """Keep a setting."""
        self.execute(
            "insert into settings values (?, ?)"
            " on conflict (name) do update set value = excluded.value",
            (name, value),
        )


class Store:
    """The file at `path`. One connection serves everybody in turn: a transaction takes well under a
    millisecond, and taking turns is what makes each request see the last one's effect.
    """

    def __init__(self, path: Path, *, durable: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute(f"pragma synchronous = {'full' if durable else 'off'}")
        self._connection.executescript(_TABLES)
        self.when_events_wait: Callable[[], None] = lambda: None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Everything in the block is committed together, or, when it raises, not at all."""
        with self._lock:
            rows = Transaction(self._connection)
            rows.execute("begin")
            try:
                yield rows
            except BaseException:
                rows.execute("rollback")
                raise
            rows.execute("commit")
        if rows.has_deliveries:
            self.when_events_wait()

    def clear(self) -> None:
        """Forget everything."""
        with self.transaction() as rows:
            for table in _TABLE_NAMES:
                rows.execute(f"delete from {table}")  # noqa: S608 - the names stand above

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _object(text: str) -> Json:
    value: dict[str, Any] = json.loads(text)
    return value
