"""The migrated database: equal to the tables in code, and with rules that every table keeps."""

from collections.abc import Iterator

import pytest
from pg8000 import native
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, CITEXT, JSONB

from chalicelib import registry
from chalicelib.core.columns import Fate
from local import postgres
from local.postgres import Server
from tests.architecture import catalog
from tests.architecture.source import report
from tests.support import database as databases

MONEY_SCHEMAS = ("billing", "creators", "gallery", "marketplace")

CASCADES = {
    "accounts.refresh_tokens.refresh_tokens_session_id_fkey": "a session's tokens go with it",
    "billing.checkout_lines.checkout_lines_checkout_id_fkey": "a checkout's lines go with it",
}
"""The foreign keys that delete, and why. Every other one refuses: nothing goes unseen."""


PRICES = "alter table billing.prices"
USERS = "alter table accounts.users"
PLANTED = [
    (f"{PRICES} add column planted text", "column billing.prices.planted"),
    (f"{PRICES} drop column sort_order", "column billing.prices.sort_order"),
    (f"{PRICES} alter column sort_order type bigint", "column billing.prices.sort_order"),
    (f"{PRICES} alter column sort_order drop not null", "column billing.prices.sort_order"),
    (f"{PRICES} alter column sort_order set default 1", "column billing.prices.sort_order"),
    (f"{USERS} drop constraint users_status", "constraint accounts.users.users_status"),
    (
        f"{USERS} drop constraint users_status; {USERS} add constraint users_status check (true)",
        "constraint accounts.users.users_status",
    ),
    (
        """
        alter table accounts.sessions drop constraint sessions_user_id_fkey;
        alter table accounts.sessions add constraint sessions_user_id_fkey
            foreign key (user_id) references accounts.users (id) on delete cascade
        """,
        "constraint accounts.sessions.sessions_user_id_fkey",
    ),
    (
        """
        alter table moderation.blocks drop constraint blocks_pkey;
        alter table moderation.blocks add primary key (blocked_id)
        """,
        "constraint moderation.blocks.blocks_pkey",
    ),
    ("drop index marketplace.posts_user_id", "index marketplace.posts.posts_user_id"),
    (
        """
        drop index marketplace.posts_one_active;
        create unique index posts_one_active on marketplace.posts (user_id)
        """,
        "index marketplace.posts.posts_one_active",
    ),
    (
        "drop index accounts.users_email; create index users_email on accounts.users (email)",
        "index accounts.users.users_email",
    ),
    ("create table accounts.planted (id uuid primary key)", "table accounts.planted"),
    ("alter table core.deliveries set unlogged", "table core.deliveries"),
]
"""What is done to the migrated database alone, and what has to be found different then."""


@pytest.fixture
def database(migrated: str) -> Iterator[native.Connection]:
    """The migrated database; what a test plants there is rolled back."""
    with postgres.connected(migrated) as connection:
        connection.run("begin")
        yield connection
        connection.run("rollback")


@pytest.fixture(scope="module")
def written(server: Server, migrated: str) -> Iterator[catalog.Facts]:
    """What the catalogue says of a database made from the tables in code."""
    name = "kith_tables"
    postgres.create_database(server, name)
    with postgres.connected(migrated) as connection:
        extensions = [row[0] for row in connection.run("select extname from pg_extension") or []]
    with postgres.connected(databases.url_of(server, name)) as connection:
        catalog.create(connection, registry.tables(), extensions)
        facts = catalog.facts_of(connection)
    yield facts
    postgres.drop_database(server, name)


def test_the_migrations_and_the_tables_say_the_same(
    database: native.Connection, written: catalog.Facts
) -> None:
    assert len(written) > 100
    found = catalog.differences(catalog.facts_of(database), written)
    assert not found, report(found)


@pytest.mark.parametrize(("planted", "name"), PLANTED)
def test_a_difference_is_found(
    database: native.Connection, written: catalog.Facts, planted: str, name: str
) -> None:
    before = catalog.differences(catalog.facts_of(database), written)
    for statement in planted.split(";"):
        database.run(statement)
    found = set(catalog.differences(catalog.facts_of(database), written)) - set(before)
    assert any(one.startswith(f"{name}: ") for one in found), report(found)


def test_every_foreign_key_is_indexed(database: native.Connection) -> None:
    found = catalog.unindexed(database)
    assert not found, report(found)


def test_every_table_has_a_primary_key(database: native.Connection) -> None:
    found = catalog.keyless(database)
    assert not found, report(found)


def test_columns_keep_the_zone_the_cents_and_the_spaces(database: native.Connection) -> None:
    found = catalog.wrong_types(database, MONEY_SCHEMAS)
    assert not found, report(found)


def test_nothing_in_the_database_asks_for_its_time(database: native.Connection) -> None:
    found = catalog.clocks(database)
    assert not found, report(found)


def test_only_what_is_designed_to_go_with_another_row_does(database: native.Connection) -> None:
    told = catalog.deletions(database)
    found = [
        f"{name}: on delete {what}"
        for name, what in sorted(told.items())
        if what != ("cascade" if name in CASCADES else "restrict")
    ]
    gone = [f"{name}: listed, and not there" for name in CASCADES if name not in told]
    assert not found + gone, report(found + gone)


def test_addresses_stand_with_accounts_alone(database: native.Connection) -> None:
    names = [one for one in catalog.facts_of(database) if one.startswith("column ")]
    found = [one for one in names if "email" in one and not one.startswith("column accounts.")]
    assert not found, report(found)


def test_a_table_that_breaks_the_rules_is_found(database: native.Connection) -> None:
    database.run("""
        create table marketplace.planted (
            user_id uuid references accounts.users on delete cascade,
            half uuid references accounts.users,
            at timestamp,
            price real,
            amount integer,
            made timestamptz default now(),
            name varchar(10)
        )
    """)
    database.run("create index planted_half on marketplace.planted (half) where price > 0")
    database.run("create index planted_second on marketplace.planted (at, user_id)")
    mine = "marketplace.planted"

    def about(found: list[str]) -> list[str]:
        return [one.partition(":")[0] for one in found if mine in one]

    assert about(catalog.unindexed(database)) == [
        f"{mine}.planted_half_fkey",
        f"{mine}.planted_user_id_fkey",
    ]
    assert about(catalog.keyless(database)) == [mine]
    assert about(catalog.wrong_types(database, MONEY_SCHEMAS)) == [
        f"{mine}.amount",
        f"{mine}.at",
        f"{mine}.name",
        f"{mine}.price",
    ]
    assert about(catalog.clocks(database)) == [f"column {mine}.made"]
    told = catalog.deletions(database)
    assert told[f"{mine}.planted_user_id_fkey"] == "cascade"
    assert told[f"{mine}.planted_half_fkey"] == "no action"


def test_an_index_on_what_is_not_null_serves_a_foreign_key(database: native.Connection) -> None:
    database.run(
        "create table core.planted (id uuid primary key, a uuid references accounts.users)"
    )
    database.run("create index planted_a on core.planted (a) where a is not null")
    assert not [one for one in catalog.unindexed(database) if "core.planted" in one]


def test_every_column_of_words_says_what_erasure_does_to_it() -> None:
    found = catalog.untagged(registry.tables())
    assert not found, report(found)


def test_what_is_personal_says_of_whom() -> None:
    found = catalog.ownerless(registry.tables())
    assert not found, report(found)


def test_a_column_without_a_tag_and_a_table_without_an_owner_are_found() -> None:
    metadata = MetaData()
    tagged = {"pii": Fate.BLANK}
    Table(
        "planted",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", Text),
        Column("email", CITEXT, info={"pii": "surely not"}),
        Column("tags", ARRAY(Text)),
        Column("sealed", LargeBinary),
        Column("document", JSONB),
        Column("good", Text, info=tagged),
    )
    Table("owned", metadata, Column("note", Text, info=tagged), info={"owner": "user_id"})
    assert [one.partition(":")[0] for one in catalog.untagged(metadata)] == [
        "planted.name",
        "planted.email",
        "planted.tags",
        "planted.sealed",
        "planted.document",
    ]
    assert [one.partition(":")[0] for one in catalog.ownerless(metadata)] == ["owned", "planted"]
