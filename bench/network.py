"""A read with half a millisecond of network between Lambda and database: what round trips cost.

The peer is libpq alone: one prepared execution of the same statement, without a token to verify,
an event to read or JSON to write. It is the least that any program can take.
"""

import os
import random
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import pq
from psycopg.rows import dict_row

from bench import delay, warm
from bench.figures import Figure, Tell
from bench.peers import raw
from chalicelib.core import auth
from tests.faults.world import World
from tests.support import database
from tests.support.api import Context

TITLE = "P3 A read at 0.5 ms of network, against libpq alone"
ROUND_TRIP_MS = 0.5
ROUNDS = 25
BLOCK = 40


def measure(here: World, tell: Tell) -> list[Figure]:
    """Medians of a read through the network, ours and the peers', and of the network itself."""
    stage = warm.prepare(here, 1)
    direct = os.environ["DATABASE_URL"]
    parts = urlsplit(direct)
    with delay.between(parts.port or 5432, ROUND_TRIP_MS) as port:
        login = parts.netloc.rpartition("@")[0]
        url = parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()
        database.use(url)
        try:
            tell(f"{ROUNDS} rounds")
            taken = _medians(here, stage, url)
        finally:
            database.use(direct)
    return [
        Figure("read", taken["kith"], "µs", 1.25, peer=taken["libpq"], peer_is="libpq"),
        Figure("raw psycopg handler", taken["psycopg"], "µs", peer=taken["libpq"], peer_is="libpq"),
        Figure("an empty statement", taken["network"], "µs"),
    ]


def _medians(here: World, stage: warm.Stage, url: str) -> dict[str, float]:
    bare = pq.PGconn.connect(url.encode())
    with ExitStack() as stack:
        stack.callback(bare.finish)
        connection = stack.enter_context(
            psycopg.connect(url, autocommit=True, row_factory=dict_row)
        )
        connection.prepare_threshold = 0
        peer = raw.handler(connection)

        def ours(target: Any) -> Callable[[], None]:
            told = stage.event("read", target)

            def call() -> None:
                assert here.app(told, Context())["statusCode"] == 200

            return call

        def theirs(target: Any) -> Callable[[], None]:
            told = stage.event("read", target)
            return lambda: _ignore(peer("read", told, target))

        alone = _read_by_libpq(bare, stage)
        who: dict[str, Callable[[Any], Callable[[], None]]] = {
            "kith": ours,
            "psycopg": theirs,
            "libpq": alone,
            "network": lambda _target: lambda: _ignore(bare.exec_(b"")),
        }
        times: dict[str, list[float]] = {name: [] for name in who}
        for _ in range(ROUNDS):
            for name in random.sample(list(who), len(who)):
                for _ in range(BLOCK):
                    call = who[name](random.choice(stage.posts))
                    started = time.perf_counter_ns()
                    call()
                    times[name].append(time.perf_counter_ns() - started)
    return {name: statistics.median(taken[BLOCK:]) / 1000 for name, taken in times.items()}


def _ignore(_answer: object) -> None:
    """For a call whose answer nobody wants."""


def _read_by_libpq(bare: pq.abc.PGconn, stage: warm.Stage) -> Callable[[Any], Callable[[], None]]:
    sql = raw.READ
    for number, name in enumerate(("caller", "session", "now", "post"), 1):
        sql = sql.replace(f"%({name})s", f"${number}")
    assert bare.prepare(b"read", sql.encode()).status == pq.ExecStatus.COMMAND_OK
    caller = auth.caller_of(f"Bearer {stage.caller.api.token}")
    assert caller is not None

    def about(target: Any) -> Callable[[], None]:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        given = [str(one).encode() for one in (caller.id, caller.session_id, now, target)]

        def call() -> None:
            assert bare.exec_prepared(b"read", given).ntuples == 1

        return call

    return about
