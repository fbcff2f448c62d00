"""The driver on the wire: one flush, one Sync group, and replies that are read to their end."""

from collections.abc import Callable
from typing import Any

import pg8000.exceptions
import pytest
from pg8000.core import Context

from chalicelib.core.config import Config
from chalicelib.core.driver import (
    BEGIN,
    COMMIT,
    ROLLBACK,
    Call,
    ConnectionLost,
    DatabaseError,
    Driver,
)
from tests.support import database
from tests.support.proxy import Proxy
from tests.support.wire import answers_its_own, ask, line_of

Open = Callable[[Config], Driver]

BAD_BEGIN = Call(b"begin isolation level nonsense")
INSERT = Call(b"insert into scratch.notes values ($1, $2)", (1, "one"))


def test_a_read_is_one_round_trip(opened: Open, behind_proxy: Config, proxy: Proxy) -> None:
    driver = opened(behind_proxy)
    for trips in (1, 2, 3):
        with proxy.counting() as turns:
            assert ask(driver, "select $1::int", trips) == [(trips,)]
        assert turns == [1]
        assert driver.trips == trips


def test_a_write_of_one_statement_is_two_round_trips(
    opened: Open, behind_proxy: Config, proxy: Proxy, scratch: None
) -> None:
    driver = opened(behind_proxy)
    with proxy.counting() as turns:
        driver.exchange([[BEGIN, INSERT]])
        driver.exchange([[COMMIT]])
    assert turns == [2]
    assert ask(driver, "select note from scratch.notes") == [("one",)]


def test_groups_and_calls_share_one_flush(opened: Open, behind_proxy: Config, proxy: Proxy) -> None:
    driver = opened(behind_proxy)
    calls = [Call(b"select $1::int", (number,)) for number in range(5)]
    with proxy.counting() as turns:
        replies = driver.exchange([calls, [], calls[:2], calls[2:]])
    assert turns == [1]
    assert [[reply.rows for reply in group] for group in replies] == [
        [[(0,)], [(1,)], [(2,)], [(3,)], [(4,)]],
        [],
        [[(0,)], [(1,)]],
        [[(2,)], [(3,)], [(4,)]],
    ]


def test_a_reply_knows_how_many_rows_it_is_about(driver: Driver, scratch: None) -> None:
    calls = [
        Call(b"insert into scratch.notes values (1, 'a'), (2, 'b'), (3, 'c')"),
        Call(b"update scratch.notes set note = 'd' where id > 1"),
        Call(b"select * from scratch.notes"),
        Call(b"delete from scratch.notes where id = 9"),
        Call(b"create table scratch.other ()"),
    ]
    (replies,) = driver.exchange([calls])
    assert [reply.affected for reply in replies] == [3, 2, 3, 0, 0]


def test_an_empty_statement_takes_nobody_elses_reply(driver: Driver) -> None:
    (replies,) = driver.exchange([[Call(b"select 1"), Call(b""), Call(b"select 2")]])
    assert [reply.rows for reply in replies] == [[(1,)], [], [(2,)]]


def test_a_failing_begin_leaves_nothing_unread(driver: Driver) -> None:
    with pytest.raises(DatabaseError) as refused:
        driver.exchange([[BAD_BEGIN, Call(b"select 'not yours'")]])
    assert refused.value.sqlstate == "42601"
    assert not driver.in_transaction
    assert answers_its_own(driver)


def test_a_begin_in_a_group_of_its_own_would_run_the_statement_outside_a_transaction(
    driver: Driver, scratch: None
) -> None:
    with pytest.raises(DatabaseError):
        driver.exchange([[BAD_BEGIN], [INSERT]])
    assert ask(driver, "select count(*) from scratch.notes") == [(1,)]
    with pytest.raises(DatabaseError):
        driver.exchange([[BAD_BEGIN, Call(INSERT.sql, (2, "two"))]])
    assert ask(driver, "select count(*) from scratch.notes") == [(1,)]


def test_a_begin_sent_ahead_the_naive_way_hands_out_foreign_rows(database_url: str) -> None:
    with database.another_connection() as naive:
        naive.send_QUERY(BAD_BEGIN.sql.decode())
        naive.send_QUERY("select 'not yours'")
        naive._sock.flush()  # noqa: SLF001  pg8000 has no public way to be naive
        with pytest.raises(pg8000.exceptions.DatabaseError):
            naive.handle_messages(Context(None))
        assert naive.run("select 'mine'") == [["not yours"]]


def test_a_failed_call_takes_its_group_and_no_other(driver: Driver, scratch: None) -> None:
    first, second, third = (
        Call(b"insert into scratch.notes values ($1)", (number,)) for number in (1, 2, 3)
    )
    with pytest.raises(DatabaseError) as refused:
        driver.exchange([[first], [second, Call(b"select 1/0"), third], [third]])
    assert refused.value.sqlstate == "22012"
    assert ask(driver, "select id from scratch.notes order by id") == [(1,), (3,)]
    assert answers_its_own(driver)


def test_the_first_of_several_errors_is_told(driver: Driver) -> None:
    with pytest.raises(DatabaseError) as refused:
        driver.exchange([[Call(b"select 1/0")], [Call(b"select nonsense")]])
    assert refused.value.sqlstate == "22012"
    assert answers_its_own(driver)


@pytest.mark.parametrize("sql", ["select nope", "selekt", "select 1 + 'a'", "select $1::int, $2"])
def test_an_error_in_a_transaction_is_rolled_back_by_one_word(
    driver: Driver, scratch: None, sql: str
) -> None:
    driver.exchange([[BEGIN, INSERT]])
    with pytest.raises(DatabaseError):
        ask(driver, sql)
    failed = driver.in_transaction
    with pytest.raises(DatabaseError) as refused:
        ask(driver, "select 1")
    assert refused.value.sqlstate == "25P02"
    driver.exchange([[ROLLBACK]])
    assert (failed, driver.in_transaction) == (True, False)
    assert ask(driver, "select count(*) from scratch.notes") == [(0,)]


def test_twenty_thousand_notices_are_read_over(driver: Driver) -> None:
    noisy = "do $$ begin for i in 1..20000 loop raise notice 'line %', i; end loop; end $$"
    assert ask(driver, noisy) == []
    assert answers_its_own(driver)


def test_notifications_are_read_over(driver: Driver, opened: Open, settings: Config) -> None:
    ask(driver, "listen news")
    other = opened(settings)
    for number in range(5):
        ask(other, f"notify news, 'number {number}'")
    ask(driver, "notify news, 'my own'")
    assert answers_its_own(driver)


def test_a_notification_in_any_language_is_read_over(driver: Driver) -> None:
    ask(driver, "listen news")
    ask(driver, "notify news, 'até já'")
    assert answers_its_own(driver)


@pytest.mark.parametrize(
    "sql",
    [
        "copy (select generate_series(1, 1000)) to stdout",
        "copy scratch.notes from stdin",
        "copy (select 1/0) to stdout",
    ],
)
def test_copy_ends_in_an_error_and_never_in_foreign_rows(
    driver: Driver, scratch: None, sql: str
) -> None:
    with pytest.raises((ConnectionLost, DatabaseError)):
        ask(driver, sql)
    assert not driver.alive() or answers_its_own(driver)


def rows_of(driver: Driver, *sql: str) -> list[Any]:
    return [ask(driver, one) for one in sql]


def test_timeouts_are_in_force_and_shorter_than_the_sockets(
    driver: Driver, settings: Config
) -> None:
    shown = rows_of(
        driver,
        "show statement_timeout",
        "show lock_timeout",
        "show idle_in_transaction_session_timeout",
        "show timezone",
        "show application_name",
    )
    assert shown == [[("10s",)], [("3s",)], [("15s",)], [("UTC",)], [("kith",)]]
    assert line_of(driver).gettimeout() > settings.statement_timeout_ms / 1000


def test_a_connection_speaks_utf8_whatever_the_database_prefers(
    settings: Config, opened: Open
) -> None:
    admin = opened(settings)
    name = settings.database_url.partition("?")[0].rpartition("/")[2]
    ask(admin, f"alter database {name} set client_encoding = 'LATIN1'")
    try:
        other = opened(settings)
        assert ask(other, "select $1::text, length($1)", "São Paulo €") == [("São Paulo €", 11)]
    finally:
        ask(admin, f"alter database {name} reset client_encoding")
