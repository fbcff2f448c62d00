"""Warm requests: our handlers against a raw psycopg handler that does the same, in one run.

Both verify the same token, read the same session state, answer the same rows and write the same
log line; ours through API Gateway's event and Chalice, the peer as a bare function. Blocks of
calls are shuffled, and medians are of all calls; only the ratios mean anything.
"""

import io
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support import environment

environment.apply()

import psycopg  # noqa: E402  the environment comes first
from psycopg.rows import dict_row  # noqa: E402

from chalicelib.core import auth, db, log  # noqa: E402
from local import postgres  # noqa: E402
from tests.support import database  # noqa: E402
from tests.support.api import Api, Context  # noqa: E402
from tests.support.people import Person, person  # noqa: E402

BLOCK = 40
POSTS = 2_000

_STATE = """
    select u.email_verified_at is not null as is_verified, u.locale, u.time_zone,
           array(select r.product || ':' || r.role from accounts.staff_roles r
                 where r.user_id = u.id) as roles
    from accounts.users u join accounts.sessions s on s.user_id = u.id
    where u.id = %(caller)s and u.status = 'active' and s.id = %(session)s
      and s.revoked_at is null and s.expires_at > %(now)s
"""
_SHOWN = """id, user_id, user_type, platform, followers, interests, price_point, description,
    verified, status, created_at, updated_at"""
_VISIBLE = """p.status = 'active'
    and exists (select 1 from accounts.users a where a.id = p.user_id and a.status = 'active')
    and not exists (select 1 from moderation.blocks b
        where (b.blocker_id = %(caller)s and b.blocked_id = p.user_id)
           or (b.blocker_id = p.user_id and b.blocked_id = %(caller)s))"""
_READ = f"""with me as ({_STATE}) select {_SHOWN} from marketplace.posts p, me
    where p.id = %(post)s and (p.user_id = %(caller)s or {_VISIBLE})"""
_LIST = f"""with me as ({_STATE}) select {_SHOWN} from marketplace.posts p, me
    where {_VISIBLE} and p.id < %(after)s order by id desc limit 21"""
_WRITE = """insert into moderation.blocks (blocker_id, blocked_id, created_at)
    select %(caller)s, id, %(now)s from accounts.users where id = %(other)s and status = 'active'
    on conflict (blocker_id, blocked_id) do update set created_at = moderation.blocks.created_at
    returning blocked_id"""


def peer(connection: psycopg.Connection[Any]) -> Callable[[str, dict[str, Any], Any], str]:
    """The raw handler: one statement where one suffices, prepared, JSON by the standard library."""

    def handle(kind: str, event: dict[str, Any], target: Any) -> str:
        started = time.perf_counter()
        headers = {name.lower(): value for name, value in event["headers"].items()}
        caller = auth.caller_of(headers["authorization"])
        assert caller is not None
        given = {
            "caller": caller.id,
            "session": caller.session_id,
            "now": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        body: Any
        if kind == "read":
            body = connection.execute(_READ, {**given, "post": target}).fetchone()
        elif kind == "list":
            found = connection.execute(_LIST, {**given, "after": target}).fetchall()
            body = {"items": found[:20], "next_cursor": str(found[-1]["id"])}
        else:
            with connection.transaction():
                assert connection.execute(_STATE, given).fetchone()
                body = connection.execute(_WRITE, {**given, "other": target}).fetchone()
        text = json.dumps(body, default=str)
        log.line(
            "request",
            operation=kind,
            status=200,
            ms=round((time.perf_counter() - started) * 1000, 2),
        )
        return json.dumps({"statusCode": 200, "body": text})

    return handle


def prepare() -> tuple[Person, list[Any]]:
    """Posts of many people; a caller and the ids of the posts."""
    from app import app  # noqa: PLC0415  not before its environment and database

    caller = person(Api(app))
    database.execute(
        "insert into accounts.users (id, status, locale, time_zone, created_at, updated_at)"
        " select gen_random_uuid(), 'active', 'en', 'UTC', timestamptz '2026-11-20',"
        f" timestamptz '2026-11-20' from generate_series(1, {POSTS})"
    )
    database.execute(
        "insert into marketplace.posts (id, user_id, status, user_type, platform, followers,"
        " interests, price_point, description, contact_info, verified, created_at, updated_at)"
        " select gen_random_uuid(), id, 'active', 'brand', 'tiktok', 100, '{fashion,travel}',"
        " 'low', repeat('words ', 30), '\\x00', false, created_at, updated_at from accounts.users where email is null"
    )
    database.execute(
        "insert into accounts.users (id, status, locale, time_zone, created_at, updated_at)"
        " select gen_random_uuid(), 'active', 'he', 'UTC', timestamptz '2026-11-20',"
        f" timestamptz '2026-11-20' from generate_series(1, {POSTS})"
    )
    database.execute("analyze")
    found = database.execute("select id from marketplace.posts order by id")
    return caller, [row[0] for row in found]


def measure(rounds: int, *, pooler: bool = False) -> dict[str, dict[str, float]]:
    """Medians in microseconds: kind to who to time."""
    caller, posts = prepare()
    users = [
        row[0] for row in database.execute("select id from accounts.users where locale = 'he'")
    ]
    url = os.environ["DATABASE_URL"]
    times: dict[tuple[str, str], list[float]] = {}
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        connection.prepare_threshold = None if pooler else 0
        raw = peer(connection)
        app = caller.api.app
        targets: dict[str, Callable[[], Any]] = {
            "read": lambda: random.choice(posts),
            "list": lambda: random.choice(posts[-1000:]),
            "write": lambda: random.choice(users),
        }

        def event(kind: str, target: Any) -> dict[str, Any]:
            path, method = {
                "read": (f"/v1/marketplace/posts/{target}", "GET"),
                "list": ("/v1/marketplace/posts?limit=20", "GET"),
                "write": (f"/v1/moderation/blocks/{target}", "PUT"),
            }[kind]
            headers = {"authorization": f"Bearer {caller.api.token}"}
            return caller.api._event(method, path, headers, None)  # noqa: SLF001  the event only

        plan = [(kind, who) for kind in targets for who in ("kith", "psycopg")] * rounds
        random.shuffle(plan)
        for kind, who in plan:
            for _ in range(BLOCK):
                target = targets[kind]()
                told = event(kind, target)
                started = time.perf_counter_ns()
                if who == "kith":
                    answer = app(told, Context())
                    assert answer["statusCode"] < 300, answer
                else:
                    raw(kind, told, target)
                times.setdefault((kind, who), []).append(time.perf_counter_ns() - started)
    result: dict[str, dict[str, float]] = {}
    for (kind, who), taken in times.items():
        result.setdefault(kind, {})[who] = statistics.median(taken[BLOCK:]) / 1000
    return result


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    os.environ["KITH_CHECK_ANSWERS"] = ""
    out, log.stream = sys.stdout, io.StringIO()
    home = Path(tempfile.mkdtemp(prefix="kith-bench-"))
    with postgres.running(home, durable=False) as server:
        database.fresh(server, "bench")
        result = measure(rounds)
        db.close()
    print(f"{'':8}{'kith µs':>10}{'psycopg µs':>12}{'ratio':>8}", file=out)
    for kind, by in sorted(result.items()):
        ratio = by["kith"] / by["psycopg"]
        print(f"{kind:8}{by['kith']:10.0f}{by['psycopg']:12.0f}{ratio:8.2f}", file=out)


if __name__ == "__main__":
    main()
