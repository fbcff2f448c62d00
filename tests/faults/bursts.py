"""Rate limits: in a burst over sixteen connections as many get through as the rate says, no more."""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from chalice.app import Request
from sqlalchemy import bindparam, literal, select

from chalicelib.core import clock, db, http, limits
from chalicelib.core.auth import Caller
from chalicelib.core.db import Prelude
from chalicelib.core.errors import TooManyRequests
from chalicelib.core.operations import Rate
from chalicelib.core.statements import statement
from chalicelib.core.tables import rate_limits
from tests.faults.described import scene as scenes
from tests.faults.described.scene import Call, Description, Scene
from tests.faults.proof import Findings, walk
from tests.faults.world import World, replaced
from tests.support.api import Answer, Api
from tests.support.races import CONNECTIONS, at_once

BURST = 200
_MOST = 150
_numbers = itertools.count(1)
_SPOOFED = (
    "X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP",
    "X-Client-IP", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "X-Cluster-Client-IP",
    "Client-IP", "Via", "X-Forwarded-Host", "X-Original-Forwarded-For", "Fastly-Client-IP",
    "CloudFront-Viewer-Address", "X-Azure-ClientIP",
)  # fmt: skip


class _Forgetful(dict[str, datetime]):
    """What a process remembers of full buckets: nothing, as if each request had one of its own."""

    def __setitem__(self, _bucket: str, _ends: datetime) -> None:
        pass


def exact(world: World, tries: int, findings: Findings) -> None:
    """So many bursts, each on one rate of an operation."""
    rated = [
        (description, rate)
        for description in scenes.every().values()
        for rate in _tightest(description.registered.rates)
    ]
    rated.sort(key=lambda one: one[1].by)
    findings.measure("rates", str(len(rated)))
    bursts = itertools.islice(itertools.cycle(rated), tries)
    for description, rate in walk(bursts, findings, tries, "bursts"):
        world.empty()
        clock.follow(clock.frozen(clock.now()))
        call = description.prepare(Scene(world))
        world.cloud.queues.clear()
        # A Lambda has one request at a time, so those of a burst share no memory of what is full.
        with replaced(limits, "_full", _Forgetful()):
            _burst(world, description, rate, call, findings)
        clock.follow(clock.real_time)
        findings.count("bursts")


def _tightest(rates: tuple[Rate, ...]) -> Iterator[Rate]:
    """The rates that a burst comes up against: of two by the same, the one for fewer."""
    for by in sorted({rate.by for rate in rates}):
        tightest = min((rate for rate in rates if rate.by == by), key=lambda rate: rate.count)
        if tightest.count <= _MOST:
            yield tightest


def _burst(
    world: World, description: Description, rate: Rate, call: Call, findings: Findings
) -> None:
    told = f"{description.operation}, {rate.count} in {rate.seconds} s by {rate.by}"
    # What is refused counts as well: a burst must not use up a rate for longer on the way.
    others = (one.count for one in description.registered.rates if one.by == rate.by)
    size = min([BURST, *(count for count in others if count > rate.count)])
    works = [_one(world, description, rate, call) for _ in range(size)]
    answers = at_once(works, connections=CONNECTIONS)
    through = [one for one in answers if one.status != HTTPStatus.TOO_MANY_REQUESTS]
    findings.hold(len(through) == rate.count, f"{told}: {len(through)} got through")
    bugs = [one.text for one in answers if one.status >= HTTPStatus.INTERNAL_SERVER_ERROR]
    findings.hold(not bugs, f"{told}: {bugs[:1]}")
    findings.count("requests in bursts", size)
    now = clock.now()
    rates = description.registered.rates
    lefts = [one.seconds - now.timestamp() % one.seconds for one in rates]
    for wait in {int(one.headers["Retry-After"]) for one in answers if one not in through}:
        right = any(abs(wait - left) <= 1 for left in lefts)
        findings.hold(right, f"{told}: told to wait {wait} s, left are {lefts}")
    clock.follow(clock.frozen(now + timedelta(seconds=max(lefts) + 1)))
    again = _one(world, description, rate, call)()
    told = f"{told}: nobody gets through afterwards"
    findings.hold(again.status != HTTPStatus.TOO_MANY_REQUESTS, told)


def _one(world: World, description: Description, rate: Rate, call: Call) -> Callable[[], Answer]:
    """One request of a burst: the same in what the rate counts by, different in all else."""
    number = next(_numbers)
    headers = dict(call.headers)
    address = "203.0.113.7"
    body = call.body
    elsewhere = f"198.51.{number // 250 % 250}.{number % 250}"
    if rate.by == "address":
        headers |= dict.fromkeys(_SPOOFED, elsewhere)
    else:
        address = elsewhere
    if isinstance(body, dict) and "email" in body:
        counted = rate.by == "body.email"
        other = f"{uuid4().hex}@kith.example"
        body = body | {"email": _spelled(body["email"], number) if counted else other}
    token = call.by.api.token if call.by else None
    client = Api(world.app, token=token, address=address)
    made = replace(call, body=body, headers=headers, key=str(uuid4()))
    return lambda: scenes.make(description, made, world, by=client)


def _spelled(address: str, number: int) -> str:
    """One of the spellings of an address: capitals make no other of it."""
    return "".join(
        letter.upper() if number >> at % 16 & 1 else letter for at, letter in enumerate(address)
    )


_LOOK = statement(
    select(rate_limits.c.hits).where(
        rate_limits.c.bucket == bindparam("bucket"),
        rate_limits.c.window_ends_at == bindparam("window_ends_at"),
    )
)
_NOTHING = statement(select(literal(1)))


@contextmanager
def looked_at_first() -> Iterator[None]:
    """How often it was is looked at, and counted once the look has let it through."""

    def prelude(rate: Rate, operation: str, value: str) -> Callable[[], Prelude[Any]]:
        def build() -> Prelude[Any]:
            ends = clock.now().timestamp() // rate.seconds * rate.seconds + rate.seconds
            bucket = hashlib.sha256(f"{operation}|{rate}|{value}".encode()).hexdigest()[:32]
            given = {"bucket": bucket, "window_ends_at": datetime.fromtimestamp(ends, UTC)}
            row = db.read(lambda unit: unit.one(_LOOK, **given))
            if row is not None and row[0] >= rate.count:
                raise TooManyRequests(retry_after=int(ends - clock.now().timestamp()))
            db.write(lambda unit: unit.one(limits.HIT, **given))
            return Prelude(_NOTHING, {}, lambda _row: None)

        return build

    with replaced(limits, "prelude", prelude):
        yield


@contextmanager
def address_from_a_header() -> Iterator[None]:
    """Where a request comes from is what the first proxy is said to have seen."""
    genuine = http._value_of  # noqa: SLF001  the function that says what a rate counts by

    def value_of(rate: Rate, request: Request, caller: Caller | None, given: dict[str, Any]) -> str:
        forwarded = request.headers.get("x-forwarded-for")
        if rate.by == "address" and forwarded:
            return str(forwarded.split(",")[0])
        return genuine(rate, request, caller, given)

    with replaced(http, "_value_of", value_of):
        yield
