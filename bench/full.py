"""A world whose tables hold a million rows, for what is measured of large ones."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.figures import Tell
from chalicelib.core import auth, clock
from tests.faults.world import World, world
from tests.support import database, volume
from tests.support.api import Api

ROWS = int(os.environ.get("KITH_BENCH_ROWS", "1000000"))
"""Fewer while a measurement is written; the goals are about a million."""


DATABASE = "kith_bench_million"


@contextmanager
def million(tell: Tell) -> Iterator[World]:
    """The usual world, and all tables full."""
    # A job that reads everything takes as long as it takes.
    os.environ["KITH_STATEMENT_TIMEOUT_MS"] = "300000"
    with world(DATABASE) as here:
        started = time.monotonic()
        volume.fill(here.server.admin_url(DATABASE), ROWS, tell)
        ((size,),) = database.execute("select pg_size_pretty(pg_database_size(current_database()))")
        tell(f"{size} after {time.monotonic() - started:.0f} s")
        yield here


def heavy(here: World) -> Api:
    """The one with half of everything, signed in."""
    return _as(here, 1)


def blocker(here: World) -> Api:
    """The one with half of all blocks, signed in."""
    return _as(here, 2)


def _as(here: World, number: int) -> Api:
    person = volume.person(number)
    token = auth.access_token(person, volume.thing(number), clock.now())
    return Api(here.app, token=token)
