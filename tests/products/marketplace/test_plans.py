"""A million posts, and no search that reads many of them: by the plans that serve all values."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from pg8000 import native

from chalicelib.core.paging import PagedStatement, PageQuery
from chalicelib.products.marketplace.discovery import queries, service
from chalicelib.products.marketplace.posts.queries import OWN
from chalicelib.products.marketplace.schemas import PostQuery
from chalicelib.products.marketplace.staff.queries import posts_by
from local import postgres
from local.postgres import Server
from tests.support import database

COUNT = 1_000_000
HANDS = 2
MOST_READ = 3 * queries.WALKED
"""A walk, a count of what is left, and what of a rare kind is then taken."""

_ID = "('{prefix}-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid"
_USERS = f"""
    insert into accounts.users (id, status, locale, time_zone, created_at, updated_at)
    select {_ID.format(prefix="00000000-0000")}, 'active', 'en', 'UTC', '2026-01-01', '2026-01-01'
    from generate_series(:first, :last) i"""
# Common and rare of everything: a platform of ten posts, a word of thirty, an interest of twenty.
_POSTS = f"""
    insert into marketplace.posts (id, user_id, status, user_type, platform, followers, interests,
        price_point, description, contact_info, verified, created_at, updated_at)
    select {_ID.format(prefix="01900000-0000")}, {_ID.format(prefix="00000000-0000")}, 'active',
        case when i % 10 < 7 then 'influencer' else 'brand' end,
        case when i % 100000 = 7 then 'twitch'
            else (array['instagram', 'tiktok', 'youtube', 'x', 'blog', 'other'])[1 + i * 7 % 11 % 6]
        end,
        (power(10, 2 + 5 * (i::bigint * 7919 % 1000003) / 1000003.0))::int,
        case when i % 50021 = 3 then array['falconry', 'travel']
            when i % 3 = 0 then array['fashion', 'travel']
            when i % 3 = 1 then array['fashion', 'food']
            else array['music', 'i' || i % 1000] end,
        (array['low', 'medium', 'high', 'luxury'])[1 + i * 13 % 17 % 4],
        case when i % 30011 = 5 then 'unicorn street' else 'street style' end,
        '', i % 200 = 9, '2026-01-01', '2026-01-01'
    from generate_series(:first, :last) i"""
_INDEXES = """
    select indexdef, 'marketplace.' || indexname from pg_indexes
    where schemaname = 'marketplace' and tablename = 'posts' and indexname <> 'posts_pkey'"""

SELECTIVE_AND_NOT: list[dict[str, Any]] = [
    {},
    {"user_type": "brand"},
    {"platform": "twitch"},
    {"platform": "instagram", "price_point": "low"},
    {"verified": True},
    {"min_followers": 1000},
    {"min_followers": 1000, "max_followers": 1001},
    {"min_followers": 1000, "max_followers": 900_000, "platform": "twitch"},
    {"interest": ["fashion"]},
    {"interest": ["falconry"]},
    {"interest": ["falconry", "i7"], "user_type": "brand"},
    {"every_interest": ["fashion", "travel"]},
    {"every_interest": ["falconry", "travel"]},
    {"every_interest": ["music", "i7"], "min_followers": 5000, "max_followers": 6000},
    {"text": "street style"},
    {"text": "unicorn"},
    {"text": "unicorn street", "interest": ["fashion"]},
    {"text": "street", "platform": "twitch"},
    {"text": "street", "min_followers": 5000, "max_followers": 5001},
    {"text": "nothing of the kind"},
    {
        "text": "street",
        "interest": ["fashion"],
        "every_interest": ["travel"],
        "min_followers": 100,
        "user_type": "influencer",
    },
    {
        "text": "street",
        "interest": ["fashion", "i7"],
        "min_followers": 1000,
        "max_followers": 1010,
        "platform": "instagram",
        "verified": True,
    },
]


@contextmanager
def connected(url: str) -> Iterator[native.Connection]:
    with postgres.connected(url) as connection:
        connection.run("set session_replication_role = replica")
        connection.run("set maintenance_work_mem = '256MB'")
        yield connection


@pytest.fixture(scope="module")
def million(server: Server, migrated: str) -> Iterator[native.Connection]:
    """A connection to a database of a million posts, of a million people."""
    database.fresh(server, "kith_plans")
    database.use(migrated)
    url = server.admin_url("kith_plans")
    with connected(url) as connection:
        indexes = connection.run(_INDEXES) or []
        for _, name in indexes:
            connection.run(f"drop index {name}")
        by_hands(url, [(sql, share) for share in range(HANDS) for sql in (_POSTS, _USERS)])
        by_hands(url, [(definition, None) for definition, _ in indexes])
        connection.run("analyze accounts.users, marketplace.posts")
        connection.run("set plan_cache_mode = force_generic_plan")
        yield connection
    with postgres.connected(server.admin_url("postgres")) as connection:
        connection.run("drop database kith_plans with (force)")


def by_hands(url: str, works: list[tuple[str, int | None]]) -> None:
    """Do all of this, a few at a time; `share` is which part of the numbers."""

    def work() -> None:
        with connected(url) as connection:
            while works:
                sql, share = works.pop()
                given = (
                    {} if share is None else {"first": share * PART + 1, "last": (share + 1) * PART}
                )
                for name, value in given.items():
                    sql = sql.replace(f":{name}", str(value))
                connection.run(sql)

    hands = [threading.Thread(target=work) for _ in range(HANDS)]
    for one in hands:
        one.start()
    for one in hands:
        one.join()


PART = COUNT // HANDS


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def literal(value: Any) -> str:
    if isinstance(value, list):
        return f"array[{', '.join(map(literal, value))}]::text[]"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def explained(connection: native.Connection, asked: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The plan of a search as it ran."""
    query = PostQuery(**asked)
    paged, given = service.chosen(query)
    after = paged.after(query) | more
    call = paged.statement.call(given | after | {"limit": query.limit, "caller": UUID(int=5)})
    connection.run(f"prepare search as {call.sql.decode()}")
    try:
        values = ", ".join(map(literal, call.values))
        rows = connection.run(
            f"explain (analyze, timing off, format json) execute search({values})"
        )
    finally:
        connection.run("deallocate search")
    assert rows
    told = rows[0][0]
    plan: dict[str, Any] = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    return plan


def read(plan: dict[str, Any], table: str) -> int:
    """How many rows of a table were looked at."""
    looked_at = 0
    for node in nodes(plan):
        if node.get("Relation Name") == table:
            assert node["Node Type"] != "Seq Scan" or not node["Actual Loops"], f"reads all {table}"
            rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            rows += node.get("Rows Removed by Index Recheck", 0)
            looked_at += int(rows * node["Actual Loops"])
    return looked_at


def test_no_search_reads_the_whole_table(million: native.Connection) -> None:
    first = UUID("01900000-0000-7000-8000-000000000000").int
    pages: dict[str, list[dict[str, Any]]] = {
        "newest": [{}, {"after_0": UUID(int=first + 500_000)}, {"after_0": UUID(int=first + 40)}],
        "most_followers": [
            {},
            {"after_0": 20_000, "after_1": UUID(int=first + 500_000)},
            {"after_0": 101, "after_1": UUID(int=first + 40)},
        ],
    }
    for asked in SELECTIVE_AND_NOT:
        for sort, places in pages.items():
            for place in places:
                for limit in (20, 50):
                    told = asked | {"sort": sort, "limit": limit}
                    plan = explained(million, told, **place)
                    looked_at = read(plan, "posts"), read(plan, "users")
                    assert max(looked_at) <= MOST_READ, (told, place, looked_at)


def test_the_lists_read_a_page(million: native.Connection) -> None:
    """One's own posts, and staff's lists by every filter."""
    lists: list[tuple[PagedStatement, dict[str, Any]]] = [
        (OWN, {"caller": UUID(int=5)}),
        (posts_by(()), {}),
        (posts_by(("status",)), {"status": "removed"}),
        (posts_by(("status",)), {"status": "active"}),
        (posts_by(("user_id",)), {"user_id": UUID(int=5)}),
        (posts_by(("status", "user_id")), {"status": "active", "user_id": UUID(int=5)}),
    ]
    for paged, given in lists:
        call = paged.statement.call(given | paged.after(PageQuery()) | {"limit": 20})
        million.run(f"prepare listed as {call.sql.decode()}")
        values = ", ".join(map(literal, call.values))
        rows = million.run(f"explain (analyze, format json) execute listed({values})")
        million.run("deallocate listed")
        assert rows
        told = rows[0][0]
        plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
        assert read(plan, "posts") <= 30, given
