"""Lists by keyset: whatever is written meanwhile, nothing is missing and nothing comes twice."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.core.paging import PagedStatement, PageQuery
from tests.support import database
from tests.support.proxy import Proxy
from tests.support.things import NOW, PAGED, SORTS, create, page, put

EVERY_WAY = pytest.mark.parametrize(
    ("sort", "ascending"), PAGED, ids=[f"{name} {'up' if up else 'down'}" for name, up in PAGED]
)


@pytest.fixture(autouse=True)
def things(scratch: None) -> None:
    """An empty table of things."""
    create()


def walk(
    paged: PagedStatement, limit: int, between: Callable[[], Any] = lambda: None
) -> list[UUID]:
    """The ids of every page, in order."""
    seen: list[UUID] = []
    cursor = None
    while True:
        found = page(paged, PageQuery(limit=limit, cursor=cursor))
        assert len(found["items"]) <= limit
        seen += [UUID(item["id"]) for item in found["items"]]
        cursor = found["next_cursor"]
        if cursor is None:
            return seen
        assert len(found["items"]) == limit
        between()


def in_order(sort: str, *, ascending: bool) -> list[UUID]:
    way = "asc" if ascending else "desc"
    names = ", ".join(f"{column.name} {way}" for column in SORTS[sort])
    return [row[0] for row in database.execute(f"select id from scratch.things order by {names}")]


@EVERY_WAY
def test_a_walk_sees_everything_once_in_order(sort: str, ascending: bool) -> None:
    for number in range(23):
        put(rank=number % 3, score=number % 2, at=NOW + timedelta(microseconds=number % 5))
    for limit in (1, 4, 23, 50):
        assert walk(PAGED[sort, ascending], limit) == in_order(sort, ascending=ascending)


@EVERY_WAY
def test_what_is_written_meanwhile_makes_nothing_missing_or_double(
    sort: str, ascending: bool
) -> None:
    dice = random.Random(f"{sort} {ascending}")

    def anything() -> UUID:
        return put(
            rank=dice.randrange(-3, 3),
            score=dice.randrange(-3, 3),
            at=NOW + timedelta(seconds=dice.randrange(-3, 3)),
        )

    old = {anything() for _ in range(40)}
    seen = walk(PAGED[sort, ascending], 3, between=lambda: [anything() for _ in range(2)])
    assert old <= set(seen)
    assert len(seen) == len(set(seen))


def test_counting_from_the_start_the_naive_way_shows_a_row_twice() -> None:
    for number in range(10):
        put(rank=number)
    seen: list[UUID] = []
    for offset in range(0, 10, 2):
        seen += [
            row[0]
            for row in database.execute(
                "select id from scratch.things order by rank desc limit 2 offset $1", offset
            )
        ]
        put(rank=100 + offset)
    assert len(seen) > len(set(seen))


def test_deleting_the_row_a_page_ended_with_loses_nothing() -> None:
    for number in range(9):
        put(rank=number)
    paged = PAGED["rank", True]
    first = page(paged, PageQuery(limit=3))
    database.execute("delete from scratch.things where rank = 2")
    rest = page(paged, PageQuery(limit=50, cursor=first["next_cursor"]))
    assert [item["rank"] for item in rest["items"]] == [3, 4, 5, 6, 7, 8]


def test_an_empty_list_is_a_page_too() -> None:
    assert page(PAGED["id", True], PageQuery()) == {"items": [], "next_cursor": None}


def test_a_full_last_page_has_no_successor() -> None:
    for _ in range(4):
        put()
    assert page(PAGED["id", True], PageQuery(limit=4))["next_cursor"] is None
    assert page(PAGED["id", True], PageQuery(limit=3))["next_cursor"] is not None


def test_a_page_is_one_round_trip(proxied: None, proxy: Proxy) -> None:
    put()
    page(PAGED["all", False], PageQuery())
    with proxy.counting() as turns:
        page(PAGED["all", False], PageQuery())
    assert turns == [1]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
    database=None,
)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(-(2**31), 2**31 - 1),
            st.integers(-(2**63), 2**63 - 1),
            st.datetimes(
                min_value=datetime(1, 1, 3),  # noqa: DTZ001  hypothesis adds the zone
                timezones=st.just(UTC),
            ),
            st.uuids(),
        ),
        max_size=6,
        unique_by=lambda row: row[3],
    ),
    limit=st.integers(1, 3),
    sort=st.sampled_from(sorted(SORTS)),
    ascending=st.booleans(),
)
def test_any_sort_value_survives_its_cursor(
    rows: list[tuple[int, int, datetime, UUID]], limit: int, sort: str, ascending: bool
) -> None:
    database.execute("delete from scratch.things")
    for row in rows:
        put(*row)
    assert walk(PAGED[sort, ascending], limit) == in_order(sort, ascending=ascending)


@EVERY_WAY
def test_values_at_the_edge_of_their_types_are_seen(sort: str, ascending: bool) -> None:
    for rank, score in ((-(2**31), -(2**63)), (2**31 - 1, 2**63 - 1)):
        put(rank, score, datetime(2, 1, 1, tzinfo=UTC))
        put(rank, score, datetime(9999, 12, 31, 23, 59, tzinfo=UTC))
    assert walk(PAGED[sort, ascending], 1) == in_order(sort, ascending=ascending)
