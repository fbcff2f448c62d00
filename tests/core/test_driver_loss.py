"""Connections that end, hang or are broken off: closed at once, noticed before use, never reused."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core import driver as driver_module
from chalicelib.core.config import Config
from chalicelib.core.driver import (
    BEGIN,
    Call,
    CannotConnect,
    ConnectionLost,
    Driver,
    connect,
)
from local.postgres import LocalServer, Server
from tests.support import database
from tests.support.proxy import Proxy
from tests.support.wire import answers_its_own, ask, line_of, tamper

Open = Callable[[Config], Driver]


def backend_of(driver: Driver) -> int:
    return int(ask(driver, "select pg_backend_pid()")[0][0])


def terminate(pid: int) -> None:
    """End a session, and wait until its process has gone."""
    database.execute("select pg_terminate_backend($1::int, 5000)", pid)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, MemoryError, ValueError])
def test_whatever_breaks_the_reading_off_closes_the_connection(
    driver: Driver, interruption: type[BaseException]
) -> None:
    def interrupted(_socket: Any, _most: int) -> bytes:
        raise interruption

    tamper(driver, interrupted)
    with pytest.raises(interruption):
        ask(driver, "select 'somebody''s'")
    assert not driver.alive()
    with pytest.raises(ConnectionLost):
        ask(driver, "select 'somebody else''s'")


def test_reading_broken_off_in_the_middle_of_a_row_closes_the_connection(driver: Driver) -> None:
    pieces = iter([1, 30])

    def torn(socket: Any, _most: int) -> bytes:
        if (size := next(pieces, None)) is None:
            raise KeyboardInterrupt
        received: bytes = socket.recv(size)
        return received

    tamper(driver, torn)
    with pytest.raises(KeyboardInterrupt):
        ask(driver, "select repeat('x', 1000)")
    assert not driver.alive()


def test_the_naive_way_a_broken_off_reading_hands_out_foreign_rows(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_context: Any) -> None:
        raise KeyboardInterrupt

    with database.another_connection() as naive:
        monkeypatch.setattr(naive, "handle_messages", interrupted)
        with pytest.raises(KeyboardInterrupt):
            naive.execute_simple("select 'not yours'")
        monkeypatch.undo()
        assert naive.execute_simple("select 'mine'").rows == [["not yours"]]


@pytest.mark.parametrize("size", [1, 3, 7, 4096])
def test_replies_may_come_in_pieces_of_any_size(driver: Driver, size: int) -> None:
    tamper(driver, lambda socket, _most: socket.recv(size))
    rows = ask(driver, "select g, repeat('x', g) from generate_series(1, 50) g")
    assert rows == [(number, "x" * number) for number in range(1, 51)]
    assert answers_its_own(driver)


def test_a_message_that_began_with_the_last_replys_piece_is_read_to_its_end(
    driver: Driver,
) -> None:
    notice = b"N\x00\x00\x00\x0eSLOG\x00Mhi\x00\x00"
    pieces = iter([(b"", notice[:6]), (notice[6:], b"")])

    def straddling(socket: Any, most: int) -> bytes:
        before, after = next(pieces, (b"", b""))
        return before + bytes(socket.recv(most)) + after

    tamper(driver, straddling)
    assert ask(driver, "select 'first'") == [("first",)]
    assert not driver.alive()
    assert ask(driver, "select 'second'") == [("second",)]
    assert driver.alive()


def test_a_server_that_falls_silent_is_given_up_in_time(
    opened: Open, behind_proxy: Config, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver_module, "SOCKET_MARGIN_SECONDS", -9.7)
    driver = opened(behind_proxy)
    proxy.freeze()
    started = time.perf_counter()
    with pytest.raises(ConnectionLost):
        ask(driver, "select 'late'")
    assert 0.2 < time.perf_counter() - started < 2
    assert not driver.alive()


def test_a_statement_that_runs_too_long_is_ended_by_the_server_first(
    opened: Open, settings: Config
) -> None:
    driver = opened(replace(settings, statement_timeout_ms=50))
    with pytest.raises(driver_module.DatabaseError) as refused:
        ask(driver, "select pg_sleep(5)")
    assert refused.value.sqlstate == "57014"
    assert answers_its_own(driver)


def test_a_connection_that_was_ended_is_noticed_before_use(driver: Driver) -> None:
    assert driver.alive()
    terminate(backend_of(driver))
    assert not driver.alive()


def test_writing_alone_would_not_notice(driver: Driver) -> None:
    terminate(backend_of(driver))
    line_of(driver).send(b"S\x00\x00\x00\x04")


def test_a_connection_that_was_cut_is_noticed_before_use(
    opened: Open, behind_proxy: Config, proxy: Proxy
) -> None:
    driver = opened(behind_proxy)
    assert ask(driver, "select 1") == [(1,)]
    proxy.cut()
    deadline = time.monotonic() + 2
    while driver.alive() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert not driver.alive()


def test_a_connection_that_ends_in_use_says_why_if_the_server_did(
    driver: Driver, opened: Open, settings: Config
) -> None:
    pid = backend_of(driver)
    driver.exchange([[BEGIN]])
    ask(opened(settings), "select pg_terminate_backend($1::int, 5000)", pid)
    with pytest.raises(ConnectionLost) as lost:
        ask(driver, "select 1")
    assert lost.value.sqlstate in {"57P01", None}
    assert not driver.alive()
    with pytest.raises(ConnectionLost):
        ask(driver, "select 1")


def test_a_connection_that_terminates_itself_says_so(driver: Driver) -> None:
    with pytest.raises(ConnectionLost) as lost:
        ask(driver, "select pg_terminate_backend(pg_backend_pid())")
    assert lost.value.sqlstate == "57P01"


def test_an_idle_transaction_is_ended_by_the_server(driver: Driver) -> None:
    ask(driver, "set idle_in_transaction_session_timeout = 20")
    driver.exchange([[BEGIN, Call(b"select 1")]])
    time.sleep(0.1)
    assert not driver.alive()
    with pytest.raises(ConnectionLost):
        ask(driver, "select 1")


def test_a_connection_may_be_abandoned_twice_and_in_a_transaction(driver: Driver) -> None:
    driver.exchange([[BEGIN]])
    driver.abandon()
    driver.abandon()
    assert not driver.alive()


def test_a_restarted_server_is_noticed_and_reached_again(
    server: Server, driver: Driver, settings: Config
) -> None:
    if not isinstance(server, LocalServer):
        pytest.skip("DATABASE_URL names a server that isn't ours to restart")
    ask(driver, "checkpoint")
    server.stop("immediate")
    with pytest.raises(CannotConnect):
        connect(settings)
    server.start()
    assert not driver.alive()
    again = connect(settings)
    try:
        assert answers_its_own(again)
    finally:
        again.abandon()
