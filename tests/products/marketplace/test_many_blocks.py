"""Somebody who blocked thousands searches as fast as anybody: no block is read but the two asked for."""

from tests.faults.heard import Heard
from tests.faults.planner import Planner
from tests.support import database
from tests.support.people import Person

BLOCKED = 12_000
AUTHORS = 300

_PEOPLE = (
    "insert into accounts.users (id, status, locale, time_zone, created_at, updated_at)"
    " select gen_random_uuid(), 'active', 'he', 'UTC', '2026-11-20', '2026-11-20'"
    f" from generate_series(1, {BLOCKED})"
)
_OF_OTHERS = (
    "insert into marketplace.posts (id, user_id, status, user_type, platform, followers,"
    " interests, price_point, description, contact_info, verified, created_at, updated_at)"
    " select id, id, 'active', 'brand', 'tiktok', 100, '{fashion}', 'low', 'street', '', false,"
    f" created_at, updated_at from accounts.users where locale = 'he' limit {AUTHORS}"
)
# In both directions: whoever blocked many, and whoever many blocked.
_BLOCKS = (
    "insert into moderation.blocks (blocker_id, blocked_id, created_at)"
    " select {columns}, created_at from accounts.users u"
    " where locale = 'he' and not exists (select from marketplace.posts p where p.user_id = u.id)"
)


def test_a_search_looks_at_two_blocks_a_post(ana: Person, ben: Person) -> None:
    for sql in (_PEOPLE, _OF_OTHERS):
        database.execute(sql)
    database.execute(_BLOCKS.format(columns="$1, id"), ana.id)
    database.execute(_BLOCKS.format(columns="id, $1"), ben.id)
    database.execute("analyze")
    heard = Heard()
    for who in (ana, ben):
        with heard.of("search"):
            assert len(who.api.get("/v1/marketplace/posts").json["items"]) == 20
            assert len(who.api.get("/v1/marketplace/posts?interest=fashion").json["items"]) == 20
    with database.another_connection() as connection:
        planner = Planner(connection)
        assert "moderation.blocks" in planner.large
        for sql, said in heard.values.items():
            for values in said:
                rows, table = planner.most_read(sql, values)
                assert rows <= 2 * AUTHORS, f"{rows} of {table}"
