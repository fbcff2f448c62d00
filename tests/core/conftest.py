"""What the tests of core share: a schema to play in, a connection, and a proxy before the database."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from chalicelib.core import db
from chalicelib.core.config import Config, config
from chalicelib.core.driver import Driver, connect
from tests.support import database
from tests.support.proxy import Proxy


@pytest.fixture
def database_url(migrated: str) -> str:
    """Where the database is."""
    return migrated


@pytest.fixture
def settings(database_url: str) -> Config:
    """What the environment says."""
    return config()


@pytest.fixture
def opened(settings: Config) -> Iterator[Callable[[Config], Driver]]:
    """Connections that end with the test."""
    drivers: list[Driver] = []

    def open_one(told: Config) -> Driver:
        drivers.append(connect(told))
        return drivers[-1]

    yield open_one
    for one in drivers:
        one.abandon()


@pytest.fixture
def driver(opened: Callable[[Config], Driver], settings: Config) -> Driver:
    """A connection of the test's own."""
    return opened(settings)


@pytest.fixture
def proxy(database_url: str) -> Iterator[Proxy]:
    """A proxy before the database."""
    parts = urlsplit(database_url)
    with Proxy((parts.hostname or "", parts.port or 5432)) as made:
        yield made


@pytest.fixture
def behind_proxy(settings: Config, proxy: Proxy) -> Config:
    """The settings of a program that reaches its database through the proxy."""
    return replace(settings, database_url=proxy.url(settings.database_url))


@pytest.fixture
def proxied(behind_proxy: Config, database_url: str) -> Iterator[None]:
    """Units of work go through the proxy."""
    database.use(behind_proxy.database_url)
    yield
    database.use(database_url)


@pytest.fixture
def scratch(database_url: str) -> Iterator[None]:
    """A schema `scratch` with a table `notes`, gone with the test."""
    database.execute("create schema scratch")
    database.execute("create table scratch.notes (id bigint primary key, note text)")
    yield
    db.session.close()
    database.execute("drop schema scratch cascade")


@pytest.fixture
def raising(scratch: None) -> None:
    """Functions that raise by SQLSTATE: always, or the first few times they are called."""
    database.execute("create sequence scratch.calls")
    database.execute(
        "create function scratch.raise(code text) returns void language plpgsql as"
        " $$ begin raise exception 'canary@kith.example' using errcode = code; end $$"
    )
    database.execute(
        "create function scratch.raise_at_first(times bigint, code text) returns void"
        " language plpgsql as $$ begin"
        " if nextval('scratch.calls') <= times then perform scratch.raise(code); end if; end $$"
    )


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between the runs of a unit, which take no time."""
    taken: list[float] = []
    monkeypatch.setattr("chalicelib.core.db.time.sleep", taken.append)
    return taken
