"""The indexes that the seeds ask for, as PostgreSQL uses them."""

from collections.abc import Iterator

import pytest
from pg8000 import native

from local import postgres
from tests.architecture.source import report

SOMEBODY = "'019a9e00-0000-7000-8000-000000000001'"

ASKED = {
    "users_email": "select id from accounts.users where email = 'ana@kith.example'",
    "posts_one_active": f"""
        select 1 from marketplace.posts where user_id = {SOMEBODY} and status = 'active'
    """,
    "contact_reveals_pkey": f"""
        select revealed_at from marketplace.contact_reveals
        where requester_id = {SOMEBODY} and target_post_id = {SOMEBODY}
    """,
    "contact_reveals_requester_id_revealed_at": f"""
        select target_post_id from marketplace.contact_reveals where requester_id = {SOMEBODY}
        order by revealed_at desc, target_post_id desc limit 20
    """,
    "payments_user_id_paid_at": f"""
        select amount from billing.payments
        where user_id = {SOMEBODY} and paid_at > '2026-01-01T00:00:00Z'
        order by paid_at desc limit 20
    """,
}
"""Each index, and what has to be found by it."""


@pytest.fixture
def database(migrated: str) -> Iterator[native.Connection]:
    """The migrated database; a table without rows is read whole unless that is forbidden."""
    with postgres.connected(migrated) as connection:
        connection.run("begin")
        connection.run("set local enable_seqscan = off")
        connection.run("set local enable_bitmapscan = off")
        yield connection
        connection.run("rollback")


@pytest.mark.parametrize(("index", "query"), ASKED.items(), ids=ASKED)
def test_the_index_the_seed_asks_for_is_used(
    database: native.Connection, index: str, query: str
) -> None:
    plan = [str(row[0]) for row in database.run(f"explain {query}") or []]
    assert any(f"using {index} " in line for line in plan), report(plan)
    assert not any("Sort" in line for line in plan), report(plan)
