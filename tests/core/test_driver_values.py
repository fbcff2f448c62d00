"""Values on their way in and out.

What can't be said is refused before a byte is sent, what can't be understood fails alone, and the
next caller reads rows of its own either way.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.core.config import Config
from chalicelib.core.driver import DatabaseError, Driver, UnencodableValue
from tests.support import database
from tests.support.proxy import Proxy
from tests.support.wire import answers_its_own, ask

SURROGATE = "\ud800"
TEN_MEGABYTES = "é" * (5 * 1024 * 1024)


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        pytest.param("select $1::text", SURROGATE, id="text"),
        pytest.param("select $1::text", f"before {SURROGATE} after", id="within text"),
        pytest.param("select $1::text[]", ["fine", SURROGATE], id="array"),
        pytest.param("select $1::text[]", [["fine"], [SURROGATE]], id="array of arrays"),
        pytest.param("select $1::varchar", "\udfff" * 1000, id="many"),
    ],
)
def test_text_that_is_not_unicode_is_refused_before_a_byte_is_sent(
    opened: Callable[[Config], Driver],
    behind_proxy: Config,
    proxy: Proxy,
    sql: str,
    value: object,
) -> None:
    driver = opened(behind_proxy)
    with proxy.counting() as turns, pytest.raises(UnencodableValue):
        ask(driver, sql, value)
    assert turns == [0]
    assert answers_its_own(driver)


@pytest.mark.parametrize("value", [{"bio": SURROGATE}, {SURROGATE: 1}, [{"deep": [SURROGATE]}]])
def test_json_with_a_lone_surrogate_is_never_stored(driver: Driver, value: object) -> None:
    with pytest.raises((UnencodableValue, DatabaseError)):
        ask(driver, "select $1::jsonb", value)
    assert answers_its_own(driver)


def test_stock_pg8000_is_out_of_step_after_a_lone_surrogate(database_url: str) -> None:
    with database.another_connection() as naive:
        with pytest.raises(UnicodeEncodeError):
            naive.run("select :text", text=SURROGATE)
        try:
            rows = naive.run("select :mine", mine="mine")
        except Exception:  # noqa: BLE001  whatever it is, it isn't the answer
            return
        assert rows != [["mine"]]


def test_as_many_parameters_as_the_protocol_counts_and_not_one_more(driver: Driver) -> None:
    marks = ",".join(f"${number}" for number in range(1, 65_536))
    sql = f"select count(*) from unnest(array[{marks}]::text[])"
    assert ask(driver, sql, *(["x"] * 65_535)) == [(65_535,)]
    with pytest.raises(UnencodableValue):
        ask(driver, f"select array[{marks},$65536]::text[]", *(["x"] * 65_536))
    assert answers_its_own(driver)


@pytest.mark.parametrize(
    ("sql", "value", "sqlstate"),
    [
        pytest.param("select $1::text", "a\x00b", "22021", id="NUL in text"),
        pytest.param("select $1::text[]", ["a\x00b"], "22021", id="NUL in an array"),
        pytest.param("select $1::jsonb", {"a": "\x00"}, "22P05", id="NUL in JSON"),
        pytest.param("select $1::jsonb", {"a": float("nan")}, "22P02", id="NaN in JSON"),
        pytest.param("select $1::bigint", 2**70, "22003", id="2**70"),
        pytest.param("select $1::int", 2**31, "22003", id="2**31"),
        pytest.param("select $1::int", "x", "22P02", id="no number"),
        pytest.param("select $1::uuid", "x", "22P02", id="no id"),
        pytest.param("select $1::date", "2026-02-30", "22008", id="no day"),
        pytest.param("select $1::int[]", "{1,", "22P02", id="half an array"),
    ],
)
def test_what_the_server_can_not_take_is_its_error_alone(
    driver: Driver, sql: str, value: object, sqlstate: str
) -> None:
    with pytest.raises(DatabaseError) as refused:
        ask(driver, sql, value)
    assert refused.value.sqlstate == sqlstate
    assert answers_its_own(driver)


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("select (repeat('[', 5000) || repeat(']', 5000))::jsonb", id="deep JSON"),
        pytest.param("select (repeat('[', 5000) || repeat(']', 5000))::json", id="deep json"),
        pytest.param("select time '24:00'", id="24:00"),
        pytest.param("select '[0:1]={1,2}'::int[]", id="array with bounds"),
        pytest.param("select timestamptz 'infinity'", id="infinity"),
        pytest.param("select timestamptz '0044-03-15 BC'", id="before Christ"),
        pytest.param("select timestamptz '294000-01-01'", id="far future"),
    ],
)
def test_a_value_python_can_not_hold_fails_alone(driver: Driver, sql: str) -> None:
    with pytest.raises((ValueError, RecursionError, AttributeError, TypeError)):
        ask(driver, sql)
    assert answers_its_own(driver)


def test_an_integer_of_five_thousand_digits_fails_alone(driver: Driver) -> None:
    assert ask(driver, "select repeat('9', 5000)::numeric") == [(Decimal("9" * 5000),)]
    with pytest.raises(ValueError, match="digits"):
        ask(driver, "select repeat('9', 5000)::jsonb")
    assert answers_its_own(driver)


def test_what_can_not_be_decoded_spoils_none_of_its_neighbours_statements(
    driver: Driver, scratch: None
) -> None:
    ask(driver, "insert into scratch.notes values (1, 'kept')")
    with pytest.raises(ValueError, match="24"):
        ask(driver, "select note, time '24:00' from scratch.notes")
    assert ask(driver, "select note from scratch.notes") == [("kept",)]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("select $1::text", "São Paulo ✓ \U0001f600 \u202e \u0301"),
        ("select $1::text", ""),
        ("select $1::text", None),
        ("select $1::bigint", -(2**63)),
        ("select $1::boolean", True),
        ("select $1::uuid", uuid.UUID(int=7)),
        ("select $1::bytea", b"\x00\xff" * 100),
        ("select $1::text[]", ['quote"', "back\\slash", "{brace}", "com,ma", "NULL", ""]),
        ("select $1::uuid[]", [uuid.UUID(int=1), uuid.UUID(int=2)]),
        ("select $1::jsonb", {"a": [1, "é", None, {"b": True}]}),
        ("select $1::timestamptz", datetime(2026, 11, 20, 10, 30, 0, 123456, UTC)),
        ("select $1::timestamptz", datetime(2026, 11, 20, tzinfo=UTC)),
        ("select $1::date", date(2026, 2, 28)),
        ("select $1::numeric", Decimal("12.30")),
    ],
)
def test_values_come_back_as_they_went(driver: Driver, sql: str, value: Any) -> None:
    assert ask(driver, sql, value) == [(value,)]


def test_ten_megabytes_both_ways(driver: Driver, scratch: None) -> None:
    assert ask(driver, "select $1::text", TEN_MEGABYTES) == [(TEN_MEGABYTES,)]
    ask(driver, "insert into scratch.notes values (1, $1)", TEN_MEGABYTES)
    assert ask(driver, "select note from scratch.notes") == [(TEN_MEGABYTES,)]
    many = ask(driver, "select g, repeat('x', 100) from generate_series(1, 100000) g")
    assert (len(many), many[-1]) == (100_000, (100_000, "x" * 100))
    assert answers_its_own(driver)
