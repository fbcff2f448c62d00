"""A database for each test worker, and its cleaning after each test."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from pg8000 import native

from chalicelib import registry
from chalicelib.core import db, outbox
from chalicelib.core.config import config
from chalicelib.core.driver import Call
from local import postgres
from local.postgres import Server

# What migrations put there: the catalogue, the issuers, who hears of what.
_KEPT = {"core.subscriptions"}
_BUT = {
    "billing.credit_accounts": " where kind <> 'issuer'",
    "billing.prices": " where created_at <> '2026-11-20T00:00:00Z'",
}


def use(url: str) -> None:
    """Have the program talk to the database at `url` from now on."""
    os.environ["DATABASE_URL"] = url
    config.cache_clear()
    db.session.close()


def migrate() -> None:
    """Bring the program's database to the newest schema, and say who hears of what."""
    command.upgrade(AlembicConfig("alembic.ini"), "head")
    db.write(outbox.sync_subscriptions, registry.subscribers(config()))


def url_of(server: Server, name: str) -> str:
    """The address of a database on a loopback server, which speaks no TLS."""
    return f"{server.admin_url(name)}?sslmode=disable"


def fresh(server: Server, name: str) -> str:
    """A new, migrated database; its address."""
    postgres.create_database(server, name)
    url = url_of(server, name)
    use(url)
    migrate()
    return url


def execute(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run one statement past the program, in autocommit; parameters are $1, $2 …"""
    return db.session.ready().exchange([[Call(sql.encode(), values)]])[0][0].rows


@contextmanager
def another_connection() -> Iterator[native.Connection]:
    """A connection of somebody else: pg8000's own, in autocommit."""
    with postgres.connected(config().database_url.partition("?")[0]) as connection:
        yield connection


def clean() -> None:
    """Empty every table but what migrations filled; triggers and keys are off meanwhile."""
    names = [
        f"{table.schema}.{table.name}"
        for table in registry.tables().sorted_tables
        if f"{table.schema}.{table.name}" not in _KEPT
    ]
    deletions = [f"delete from {name}{_BUT.get(name, '')}" for name in names]
    without_triggers(*deletions)


def without_triggers(*statements: str) -> None:
    """Run statements in one transaction; triggers and keys are off meanwhile."""
    every = ["set local session_replication_role = replica", *statements]
    db.session.ready().exchange([[Call(sql.encode()) for sql in every]])
