"""How often an operation goes to the database and back, counted on the wire.

    python -m tests.architecture.round_trips [operation …]   # what is not as docs/round_trips.csv says
    python -m tests.architecture.round_trips --write         # write what is so

Counted is a described call that succeeds, on a connection that is open, COMMIT included; and what
the queue messages that follow from it cost in workers. The rate limit's own upsert is left out,
where it goes by itself.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from chalicelib.core import clock, jobs, limits, operations
from chalicelib.core.config import config
from chalicelib.core.driver import Driver, Group, Reply
from tests.architecture.listings import Line, disorder, read
from tests.architecture.source import ROOT
from tests.faults.described import scene
from tests.faults.described.scene import Description, Scene
from tests.faults.world import World, replaced, world
from tests.support import database
from tests.support.proxy import Proxy

LIST = ROOT / "docs" / "round_trips.csv"
HEADER = ("operation_id", "round_trips", "round_trips_in_workers")
DEARER = {
    "accounts_erasure_export": "what is sealed is opened by a key that is read first",
    "accounts_users_get": "the audit log keeps who looked",
    "accounts_users_search": "the audit log keeps who looked",
}
"""Reads that need more than one, and why."""
_RELAY = "core_relay"
_MOST_SWEEPS = 20


class Cost(NamedTuple):
    """The round trips of an operation, and of all the messages that follow from it.

    `on_the_wire` and `logged` are all of the operation's, those of rate limits too.
    """

    operation: str
    round_trips: int
    in_workers: int
    on_the_wire: int
    logged: int

    @property
    def line(self) -> Line:
        """As it stands in the list."""
        return self.operation, str(self.round_trips), str(self.in_workers)


@contextmanager
def through(proxies: type[Proxy] = Proxy) -> Iterator[Proxy]:
    """Have the program talk to its database through a proxy that counts."""
    url = config().database_url
    parts = urlsplit(url)
    with proxies((parts.hostname or "127.0.0.1", parts.port or 5432)) as proxy:
        database.use(proxy.url(url))
        try:
            yield proxy
        finally:
            database.use(url)


def cost(description: Description, here: World, proxy: Proxy) -> Cost:
    """What a call of an operation costs; AssertionError if it does not succeed."""
    call = description.prepare(Scene(here))
    # What waits from before follows from something else.
    here.cloud.queues.clear()
    database.execute("update core.outbox set done_at = created_at where done_at is null")
    logged = _lines(here)
    with _flushes_of_rates() as of_rates, proxy.counting() as counted:
        answer = scene.make(description, call, here)
    assert answer.status == description.registered.status, (description.operation, answer.text)
    told = [one for one in _lines(here)[len(logged) :] if one["event"] == "request"]
    return Cost(
        description.operation,
        counted[0] - len(of_rates),
        _settle(here, proxy),
        counted[0],
        sum(int(one["round_trips"]) for one in told),
    )


def costs(here: World, only: Sequence[str] = ()) -> Iterator[Cost]:
    """What each operation costs, or only some."""
    with through() as proxy:
        for name, description in scene.every().items():
            if not only or name in only:
                yield cost(description, here, proxy)


def _settle(here: World, proxy: Proxy) -> int:
    """Hand out all that waits, also what goes with the next sweep; what that costs in workers."""
    total = 0
    for _ in range(_MOST_SWEEPS):
        with proxy.counting() as counted:
            here.cloud.deliver()
        total += counted[0]
        jobs.run(jobs.registered[_RELAY], clock.now(), by_hand=True)
        if not any(here.cloud.queues.values()):
            return total
    raise AssertionError("messages keep coming")


@contextmanager
def _flushes_of_rates() -> Iterator[list[None]]:
    """As many elements as flushes that held nothing but hits of rate limits."""
    found: list[None] = []
    exchange = Driver.exchange
    hit = limits.HIT.sql.encode()

    def listen(driver: Driver, groups: Sequence[Group]) -> list[list[Reply]]:
        if all(call.sql == hit for group in groups for call in group):
            found.append(None)
        return exchange(driver, groups)

    with replaced(Driver, "exchange", listen):
        yield found


def _lines(here: World) -> list[dict[str, Any]]:
    return [json.loads(line) for line in here.log_path.read_text(encoding="utf-8").splitlines()]


def wrong(listed: Iterable[Line], found: Iterable[Cost]) -> list[str]:
    """Where the list is not what is so: it may only fall, and then the list falls with it."""
    known = {line[0]: line for line in listed}
    problems = []
    for one in found:
        line = known.pop(one.operation, None)
        if line is None:
            problems.append(f"{one.operation} is not in {LIST.name}: {','.join(one.line)}")
            continue
        for name, before, now in zip(HEADER[1:], line[1:], one.line[1:], strict=True):
            if int(now) > int(before):
                problems.append(f"{one.operation} needs {now} {name}, and may need {before}")
            elif int(now) < int(before):
                problems.append(f"{one.operation} needs {now} {name} only: let {LIST.name} say so")
        if one.logged != one.on_the_wire:
            problems.append(f"{one.operation} logs {one.logged} of {one.on_the_wire} round trips")
    return problems + [f"{name} is in {LIST.name}, and is no operation" for name in known]


def write(found: Iterable[Cost], path: Path = LIST) -> None:
    """Write the list."""
    lines = sorted(one.line for one in found)
    path.write_text("".join(",".join(line) + "\n" for line in (HEADER, *lines)), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, and compare or write; the exit code."""
    parser = argparse.ArgumentParser(prog="make round-trips", description=__doc__)
    parser.add_argument("names", nargs="*", help="operations; all, unless named")
    parser.add_argument("--write", action="store_true", help=f"write docs/{LIST.name}")
    told = parser.parse_args(arguments)
    with world("kith_round_trips") as here:
        found = list(costs(here, told.names))
        missing = [] if told.names else sorted(operations.registered.keys() - scene.every().keys())
    if told.write:
        write(found)
        return 0
    listed = read(LIST, HEADER)
    problems = [f"{name} is not described, so nobody counted" for name in missing]
    problems += [*disorder(listed), *wrong(_of(told.names, listed), found)]
    sys.stdout.write("".join(f"{one}\n" for one in problems))
    return int(bool(problems))


def _of(names: Sequence[str], listed: list[Line]) -> list[Line]:
    return [line for line in listed if not names or line[0] in names]


if __name__ == "__main__":
    sys.exit(main())
