"""Alembic's environment: an ordinary engine, one linear history, short waits for locks."""

from alembic import context
from sqlalchemy import create_engine, pool, text
from sqlalchemy.engine import make_url

from chalicelib import registry
from chalicelib.core.config import config
from chalicelib.core.driver import tls_context

LOCK_TIMEOUT = "3s"
STATEMENT_TIMEOUT = "10min"


def run() -> None:
    """Run the migrations that are missing, each in a transaction of its own."""
    url = make_url(config().database_url)
    plain = url.query.get("sslmode") == "disable"
    engine = create_engine(
        url.set(drivername="postgresql+pg8000", query={}),
        poolclass=pool.NullPool,
        hide_parameters=True,
        connect_args={"ssl_context": False if plain else tls_context(config().database_ca)},
    )
    # Asked of the server, it would begin a transaction, in which no index is built concurrently.
    engine.dialect.get_isolation_level = lambda _connection: "READ COMMITTED"  # type: ignore[assignment]
    with engine.connect() as connection:
        connection.execute(text(f"set lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"set statement_timeout = '{STATEMENT_TIMEOUT}'"))
        connection.execute(text("create schema if not exists core"))
        # Alembic's own would hold 32 characters, fewer than our names have.
        connection.execute(
            text("create table if not exists core.alembic_version (version_num text primary key)")
        )
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=registry.tables(),
            version_table_schema="core",
            include_schemas=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
