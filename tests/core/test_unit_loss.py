"""Connections lost under a unit of work: done again before COMMIT was sent, never after."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import db
from chalicelib.core.config import Config, config
from chalicelib.core.db import Connection
from chalicelib.core.driver import ROLLBACK, Driver, Group, Reply
from chalicelib.core.errors import Unavailable
from local.postgres import LocalServer, Server
from tests.support import database, logs
from tests.support.notes import ADD, ALL, add, kept, sql
from tests.support.proxy import Proxy
from tests.support.races import at_once

PID = sql("select pg_backend_pid() as pid", "pid")

pytestmark = pytest.mark.usefixtures("scratch")


def adding(runs: list[int], *, loses: Callable[[], None] | None = None) -> Callable[..., None]:
    """Work that adds a note, and loses its connection in its first run."""

    def work(unit: Connection) -> None:
        runs.append(1)
        add(unit, 1)
        if loses is not None and len(runs) == 1:
            loses()
            unit.all(ALL)

    return work


@pytest.mark.parametrize("loss", ["lose_request", "lose_reply_to"])
@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_first_statement_that_was_lost_is_done_again(
    proxied: None, proxy: Proxy, loss: str, kind: db.Kind
) -> None:
    database.execute("insert into scratch.notes values (7, '')")
    getattr(proxy, loss)(b"select id, note from scratch.notes")
    assert db.run(kind, lambda unit: unit.all(ALL)) == [(7, "")]
    assert proxy.connections == 2


@pytest.mark.parametrize("loss", ["lose_request", "lose_reply_to"])
def test_a_write_lost_before_commit_is_done_again_and_stands_once(
    proxied: None, proxy: Proxy, loss: str
) -> None:
    getattr(proxy, loss)(b"insert into scratch.notes")
    runs: list[int] = []
    db.write(adding(runs))
    assert len(runs) == 2
    assert kept() == [1]


def test_a_session_ended_in_the_middle_is_done_again() -> None:
    def lose() -> None:
        with database.another_connection() as other:
            other.run(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where state = 'idle in transaction' and datname = current_database()"
            )

    runs: list[int] = []
    db.write(adding(runs, loses=lose))
    assert len(runs) == 2
    assert kept() == [1]


@pytest.mark.parametrize(("loss", "stands"), [("lose_request", []), ("lose_reply_to", [1])])
def test_after_commit_was_sent_nobody_knows_and_nothing_is_done_again(
    proxied: None, proxy: Proxy, loss: str, stands: list[int]
) -> None:
    getattr(proxy, loss)(b"commit")
    runs: list[int] = []
    with pytest.raises(Unavailable, match="not known"):
        db.write(adding(runs))
    assert len(runs) == 1
    assert kept() == stands
    db.write(add, 2)
    assert kept() == [*stands, 2]


def test_what_a_read_left_for_commit_is_not_done_twice_either(proxied: None, proxy: Proxy) -> None:
    proxy.lose_reply_to(b"commit")
    runs: list[int] = []

    def work(unit: Connection) -> None:
        runs.append(1)
        unit.later(ADD, id=len(runs), note="")

    with pytest.raises(Unavailable):
        db.run("read", work)
    assert kept() == [1]


def test_doing_it_again_after_commit_was_sent_the_naive_way_does_it_twice(
    proxied: None, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = property(lambda _: False, lambda _, __: None)
    monkeypatch.setattr(Connection, "committing", never, raising=False)
    runs: list[int] = []
    proxy.lose_reply_to(b"commit")

    def work(unit: Connection) -> None:
        runs.append(1)
        add(unit, len(runs))

    db.write(work)
    assert kept() == [1, 2]


def test_a_connection_that_died_between_units_goes_unnoticed() -> None:
    (pid,) = db.read(Connection.one, PID) or (0,)
    with database.another_connection() as other:
        other.run("select pg_terminate_backend(:pid, 5000)", pid=pid)
    runs: list[int] = []
    db.write(adding(runs))
    assert runs == [1]
    assert db.read(Connection.one, PID) != (pid,)


def test_connections_that_keep_being_lost_end_in_503(proxied: None, proxy: Proxy) -> None:
    runs: list[int] = []

    def work(unit: Connection) -> None:
        runs.append(1)
        unit.one(sql("select pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(Unavailable) as refused:
        db.write(work)
    assert len(runs) == db.ATTEMPTS
    assert refused.value.retry_after
    assert proxy.connections == db.ATTEMPTS


@pytest.mark.parametrize("silence", ["forget", "mute"])
def test_a_server_that_does_not_answer_is_not_asked_again(
    proxied: None, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, silence: str
) -> None:
    monkeypatch.setattr("chalicelib.core.driver.SOCKET_MARGIN_SECONDS", -9.8)
    db.read(Connection.all, ALL)
    getattr(proxy, silence)()
    runs: list[int] = []
    with pytest.raises(Unavailable) as refused:
        db.write(adding(runs))
    assert len(runs) == 1
    assert refused.value.retry_after
    proxy.thaw()
    db.write(add, 2)
    assert kept() == [2]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError])
def test_whoever_comes_after_an_interrupted_rollback_is_served(
    monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    exchange = Driver.exchange

    def interrupted(driver: Driver, groups: Sequence[Group]) -> list[list[Reply]]:
        if list(groups) == [[ROLLBACK]]:
            raise interruption
        return exchange(driver, groups)

    def work(unit: Connection) -> None:
        add(unit, 1)
        raise ValueError

    monkeypatch.setattr(Driver, "exchange", interrupted)
    with pytest.raises(interruption):
        db.write(work)
    monkeypatch.undo()
    db.write(add, 2)
    assert kept() == [2]


@pytest.mark.parametrize("kind", ["read", "write"])
def test_no_connection_to_be_had_is_503_at_once_and_logged(
    settings: Config, monkeypatch: pytest.MonkeyPatch, log_lines: Path, kind: db.Kind
) -> None:
    nowhere = replace(settings, database_url="postgresql://a:b@127.0.0.1:9/x?sslmode=disable")
    monkeypatch.setattr(db, "config", lambda: nowhere)
    db.session.close()
    with pytest.raises(Unavailable) as refused:
        db.run(kind, lambda unit: unit.all(ALL))
    assert refused.value.retry_after
    with pytest.raises(Unavailable):
        db.write(lambda unit: unit.later(ADD, id=1, note=""))
    assert len(logs.lines(log_lines, "cannot_connect")) == 2


def test_why_there_is_no_connection_is_logged_by_sqlstate(
    settings: Config, monkeypatch: pytest.MonkeyPatch, log_lines: Path
) -> None:
    login, _, place = settings.database_url.rpartition("@")
    wrong = replace(settings, database_url=f"{login}x@{place}")
    monkeypatch.setattr(db, "config", lambda: wrong)
    db.session.close()
    with pytest.raises(Unavailable):
        db.read(Connection.all, ALL)
    assert logs.lines(log_lines, "cannot_connect")[0]["sqlstate"] == "28P01"


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_of_the_server_costs_nothing_but_time(server: Server, mode: Any) -> None:
    if not isinstance(server, LocalServer):
        pytest.skip("DATABASE_URL names a server that isn't ours to restart")
    db.write(add, 1)
    database.execute("checkpoint")
    server.stop(mode)
    with pytest.raises(Unavailable):
        db.write(add, 2)
    server.start()
    db.write(add, 3)
    assert kept() == [1, 3]


def test_each_thread_has_a_connection_of_its_own() -> None:
    def pid() -> Any:
        return db.read(Connection.one, PID)

    pids = at_once([pid] * 4, connections=4)
    assert len({*pids, pid()}) == 5


def test_a_closed_connection_is_opened_again_when_it_is_needed(database_url: str) -> None:
    db.write(add, 1)
    db.close()
    assert db.session.trips == 0
    db.close()
    assert kept() == [1]
    assert config().database_url == database_url
    assert db.read(Connection.all, ALL) == [(1, "note 1")]
