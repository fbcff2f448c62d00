"""One line of migrations, each under a short lock timeout and safe for the code before it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from local import postgres
from local.postgres import Server
from tests.architecture import history
from tests.architecture.history import Migration
from tests.architecture.source import ROOT, Source, load, report
from tests.support import database

FIRST = "20260101000000_things"
THINGS = """
    create table a.things (id uuid primary key, name text not null);
    create index things_name on a.things (name)
"""


def _migrations() -> list[Migration]:
    return [Migration.of(one) for one in load("migrations/versions")]


def _planted(
    sql: str, revision: str = "20260102000000_next", follows: str | None = FIRST
) -> Migration:
    text = (
        "from alembic import op\n"
        f"revision = {revision!r}\n"
        f"down_revision = {follows!r}\n\n"
        f'def upgrade() -> None:\n    op.execute("""{sql}""")\n'
    )
    return Migration.of(Source(f"migrations/versions/{revision}.py", text))


def _first() -> Migration:
    return _planted(THINGS, FIRST, follows=None)


def test_the_history_is_one_line() -> None:
    found = history.crooked(_migrations())
    assert not found, report(found)
    heads = ScriptDirectory.from_config(Config(str(ROOT / "alembic.ini"))).get_heads()
    assert heads == [max(one.revision for one in _migrations())]


@pytest.mark.parametrize(
    "second",
    [
        _planted("select 1", follows="20250101000000_lost"),
        _planted("select 1", revision="2026_next"),
        _planted("select 1", revision="20261399000000_no_such_month"),
        _planted("select 1", revision="20260102000000_Next"),
        _planted("select 1", revision="20250102000000_before_what_it_follows"),
        Migration(Source("migrations/versions/other_name.py", ""), "20260102000000_next", FIRST),
    ],
    ids=lambda one: one.revision,
)
def test_a_crooked_history_is_found(second: Migration) -> None:
    assert history.crooked([_first(), second])


def test_two_that_follow_one_are_found() -> None:
    branches = [_planted("select 1"), _planted("select 1", revision="20260103000000_branch")]
    assert history.crooked([_first(), *branches])


def test_every_migration_is_safe_for_the_code_before_it() -> None:
    found = [*history.unsafe(_migrations()), *history.unreadable(_migrations())]
    assert not found, report(found)


@pytest.mark.parametrize(
    "sql",
    [
        "alter table a.things alter column name type varchar(10)",
        "alter table a.things alter name set data type citext",
        "alter table a.things alter column name set not null",
        "alter table a.things add column size integer not null",
        "alter table a.things add size numeric(10, 2) not null, add column b text",
        "alter table a.things add constraint things_name check (name <> '')",
        "alter table a.things add constraint f foreign key (id) references a.others (id)",
        "alter table a.things add constraint things_names unique (name)",
        "alter table a.things drop column name",
        "alter table a.things rename column name to title",
        "alter table a.things rename to others",
        "create index things_id on a.things (id)",
        "create unique index things_id on a.things (id) where id is not null",
        "drop table a.things",
        "truncate a.things",
        "lock table a.things",
        "select 1; CREATE INDEX x\n ON a.things (id)",
        """
        alter table a.things add constraint c check (true) not valid;
        alter table a.things validate constraint c
        """,
    ],
)
def test_what_old_code_would_not_survive_is_found(sql: str) -> None:
    assert history.unsafe([_first(), _planted(sql)])
    excused = f"-- safe: nobody has any of these yet\n{sql}"
    assert not history.unsafe([_first(), _planted(excused)])


@pytest.mark.parametrize(
    "sql",
    [
        "create table a.others (id uuid primary key); create index others_id on a.others (id)",
        "create index concurrently things_id on a.things (id)",
        "create unique index concurrently things_id on a.things (id)",
        "alter table a.things add column size integer",
        "alter table a.things add column size integer not null default 0",
        "alter table a.things add column size integer default 0 not null",
        "alter table a.things add constraint things_name check (name <> '') not valid",
        "alter table a.things validate constraint things_name",
        "alter table a.things drop constraint things_name",
        "alter table a.things alter column name drop not null",
        "create function a.f() returns trigger language plpgsql as $$ begin truncate a.things; end $$",
        "-- create index x on a.things (id)\nselect 1",
    ],
)
def test_what_old_code_survives_is_not(sql: str) -> None:
    assert not history.unsafe([_first(), _planted(sql)])


@pytest.mark.parametrize(
    "line",
    [
        'op.add_column("things", column)',
        "op.execute(made_elsewhere)",
        'op.execute("set local lock_timeout = 0")',
        'op.execute("-- safe:\\nselect 1")',
    ],
)
def test_what_nobody_can_check_is_found(line: str) -> None:
    text = f'revision = "{FIRST}"\ndown_revision = None\n\ndef upgrade():\n    {line}\n'
    assert history.unreadable([Migration.of(Source(f"migrations/versions/{FIRST}.py", text))])


@pytest.fixture
def empty(server: Server, migrated: str) -> Iterator[str]:
    """A database without anything in it, which the program uses meanwhile."""
    name = "kith_migrations"
    postgres.create_database(server, name)
    url = database.url_of(server, name)
    database.use(url)
    yield url
    database.use(migrated)
    postgres.drop_database(server, name)


def test_a_migration_waits_for_a_lock_for_seconds_only(empty: str, tmp_path: Path) -> None:
    seen = "create table core.seen as select current_setting('lock_timeout') as told"
    (tmp_path / f"{FIRST}.py").write_text(_planted(seen, FIRST, follows=None).source.text)
    settings = Config(str(ROOT / "alembic.ini"))
    settings.set_main_option("version_locations", str(tmp_path))
    command.upgrade(settings, "head")
    with postgres.connected(empty) as connection:
        assert connection.run("select told from core.seen") == [["3s"]]
