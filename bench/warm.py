"""Warm requests: our handlers against a raw psycopg handler that does the same, in one run.

Both verify the same token, read the same session state, answer the same rows and write the same
log line; ours through API Gateway's event and Chalice, the peer as a bare function. Blocks of
calls are shuffled, and medians are of all calls; only the ratios mean anything. Behind a pooler
neither may prepare a statement. `python -m bench.warm 20` runs so many rounds by itself.
"""

import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from bench.figures import Figure, Tell, table
from bench.peers import raw
from chalicelib.core import db
from chalicelib.core.config import config
from tests.faults.world import World, world
from tests.support import database
from tests.support.api import Context
from tests.support.people import Person, person

TITLE = "P2 Warm requests, against a raw psycopg handler"
BLOCK = 40
ROUNDS = 25
POSTS = 2_000

_PEOPLE = (
    "insert into accounts.users (id, status, locale, time_zone, created_at, updated_at)"
    " select gen_random_uuid(), 'active', '{locale}', 'UTC', timestamptz '2026-11-20',"
    " timestamptz '2026-11-20' from generate_series(1, {count})"
)
_POSTS = (
    "insert into marketplace.posts (id, user_id, status, user_type, platform, followers,"
    " interests, price_point, description, contact_info, verified, created_at, updated_at)"
    " select gen_random_uuid(), id, 'active', 'brand', 'tiktok', 100, '{fashion,travel}',"
    " 'low', repeat('words ', 30), '\\x00', false, created_at, updated_at"
    " from accounts.users where locale = 'pt-BR'"
)
# Everybody blocks the next: what the planner knows of blocks is what it knows where many block.
_BLOCKS = (
    "insert into moderation.blocks (blocker_id, blocked_id, created_at)"
    " select id, lead(id, 1, $1) over (order by id), created_at"
    " from accounts.users where locale = 'he'"
)


class Stage(NamedTuple):
    """Who asks, and what there is to ask for."""

    caller: Person
    posts: list[Any]
    others: list[Any]

    def event(self, kind: str, target: Any) -> dict[str, Any]:
        """What API Gateway sends."""
        path, method = {
            "read": (f"/v1/marketplace/posts/{target}", "GET"),
            "list": ("/v1/marketplace/posts?limit=20", "GET"),
            "write": (f"/v1/moderation/blocks/{target}", "PUT"),
        }[kind]
        headers = {"authorization": f"Bearer {self.caller.api.token}"}
        return self.caller.api._event(method, path, headers, None)  # noqa: SLF001  the event only

    def target(self, kind: str) -> Any:
        """Something to ask for, another each time."""
        if kind == "write":
            return self.others.pop()
        return random.choice(self.posts if kind == "read" else self.posts[-1000:])


def prepare(here: World, rounds: int) -> Stage:
    """Posts of many people, a caller, and as many others as are going to be blocked."""
    caller = person(here.api)
    database.execute(_PEOPLE.format(locale="pt-BR", count=POSTS))
    database.execute(_POSTS)
    database.execute(_PEOPLE.format(locale="he", count=4 * BLOCK * rounds))
    # No plan changes on the way.
    database.execute(_BLOCKS, caller.id)
    database.execute("alter table moderation.blocks set (autovacuum_enabled = off)")
    database.execute("vacuum analyze")
    found = database.execute("select id from marketplace.posts order by id")
    others = database.execute("select id from accounts.users where locale = 'he'")
    return Stage(caller, [row[0] for row in found], [row[0] for row in others])


@contextmanager
def pooled(*, behind: bool) -> Iterator[None]:
    """Have the program talk to a pooler that forbids prepared statements, or not."""
    os.environ["KITH_POOLER"] = "1" if behind else ""
    config.cache_clear()
    db.close()
    try:
        yield
    finally:
        os.environ["KITH_POOLER"] = ""
        config.cache_clear()
        db.close()


def medians(
    here: World, stage: Stage, rounds: int, *, pooler: bool = False
) -> dict[str, dict[str, float]]:
    """Medians in microseconds: kind to who to time."""
    times: dict[tuple[str, str], list[float]] = {}
    connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row)
    connection.prepare_threshold = None if pooler else 0
    with connection, pooled(behind=pooler):
        peer = raw.handler(connection)
        kinds = ("read", "list", "write")
        plan = [(kind, who) for kind in kinds for who in ("kith", "psycopg")] * rounds
        random.shuffle(plan)
        for kind, who in plan:
            for _ in range(BLOCK):
                target = stage.target(kind)
                told = stage.event(kind, target)
                started = time.perf_counter_ns()
                if who == "kith":
                    answer = here.app(told, Context())
                    assert answer["statusCode"] < 300, answer
                else:
                    peer(kind, told, target)
                times.setdefault((kind, who), []).append(time.perf_counter_ns() - started)
    result: dict[str, dict[str, float]] = {}
    for (kind, who), taken in times.items():
        result.setdefault(kind, {})[who] = statistics.median(taken[BLOCK:]) / 1000
    return result


def measure(here: World, tell: Tell, rounds: int = ROUNDS) -> list[Figure]:
    """Medians of read, list and write, with prepared statements and without."""
    stage = prepare(here, rounds)
    figures = []
    for pooler, bound, how in ((False, 1.0, ""), (True, 1.6, " behind a pooler")):
        tell(f"{rounds} rounds{how}")
        for kind, by in medians(here, stage, rounds, pooler=pooler).items():
            figures.append(
                Figure(f"{kind}{how}", by["kith"], "µs", bound, peer=by["psycopg"],
                       peer_is="psycopg")
            )  # fmt: skip
    return sorted(figures, key=lambda one: ("pooler" in one.what, one.what))


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    os.environ["KITH_CHECK_ANSWERS"] = ""
    with world("kith_bench") as here:
        found = measure(here, lambda _line: None, rounds)
    print(table(TITLE, found))


if __name__ == "__main__":
    main()
