"""A database that does not answer, and rows that somebody else holds: nobody waits for long.

The program's timeouts are a twentieth of what they are, and so is the time there is.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from chalicelib import registry
from chalicelib.core import clock, db, driver
from chalicelib.core.config import Config, config
from chalicelib.core.db import Connection
from chalicelib.core.driver import BEGIN, Call, ConnectionLost
from chalicelib.core.idempotency import ABANDONED_AFTER
from tests.faults import interruptions
from tests.faults.described import scene
from tests.faults.described.scene import Description, Scene
from tests.faults.proof import Findings, Planted, Proof, walk
from tests.faults.sampling import writing
from tests.faults.world import World, replaced
from tests.support import database
from tests.support.api import Answer
from tests.support.proxy import Proxy

ALONE = True

GATEWAY_SECONDS = 29
"""How long API Gateway waits for an answer."""

_SCALE = 20
_SCALED = ("SOCKET_MARGIN_SECONDS", "CONNECT_TIMEOUT_SECONDS")
_SCALED_MS = ("LOCK_TIMEOUT_MS", "IDLE_IN_TRANSACTION_MS")
_SILENCES = (Proxy.mute, Proxy.forget, Proxy.freeze)
_LONG_STATEMENT_MS = 2_000


@contextmanager
def hurried(**settings: Any) -> Iterator[None]:
    """Timeouts of new connections are a twentieth of what they are, with other settings on top."""
    told = replace(config(), statement_timeout_ms=config().statement_timeout_ms // _SCALE)
    told = replace(told, **settings)
    with ExitStack() as stack:
        for name in _SCALED:
            stack.enter_context(replaced(driver, name, getattr(driver, name) / _SCALE))
        for name in _SCALED_MS:
            stack.enter_context(replaced(driver, name, getattr(driver, name) // _SCALE))
        stack.enter_context(replaced(db, "config", lambda: told))
        db.close()
        yield
    db.close()


def is_refusal(answer: Answer) -> bool:
    """Whether somebody was told to come again, and when."""
    if answer.status == HTTPStatus.CONFLICT:
        return answer.code == "conflict"
    return answer.status == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in answer.headers


@dataclass
class Silence:
    """A request during which the database falls silent, at the point where it is about to ask."""

    description: Description
    exchange: int
    how: Callable[[Proxy], None]

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.description.operation}, {self.how.__name__} at exchange {self.exchange}"

    def silencing(self, proxy: Proxy) -> Callable[[driver.Driver], None]:
        """What happens at that point."""
        return lambda _driver: self.how(proxy)


def silences(world: World, number: int) -> list[Silence]:
    """So many things that so many operations say, silenced one way after the other."""
    said: list[tuple[Description, int]] = []
    for description in writing(number):
        call = description.prepare(Scene(world))
        with interruptions.at_point(0, interruptions.fail) as passed:
            scene.make(description, call, world)
        said += [(description, exchange) for exchange in range(1, passed[0] // 2 + 1)]
    # From what is said first to what is said last, so that some come before COMMIT.
    said.sort(key=lambda one: one[1])
    step = max(1.0, len(said) / number)
    chosen = [said[int(at * step)] for at in range(min(number, len(said)))]
    return [
        Silence(description, exchange, _SILENCES[at % len(_SILENCES)])
        for at, (description, exchange) in enumerate(chosen)
    ]


def hung(world: World, tries: int, findings: Findings) -> None:
    """Let the database fall silent in the middle of so many requests, each in another way."""
    parts = urlsplit(config().database_url)
    slowest = 0.0
    every = silences(world, tries)
    with Proxy((parts.hostname or "", parts.port or 5432)) as proxy:
        url = proxy.url(config().database_url)
        for one in walk(every, findings, len(every), "requests"):
            call = one.description.prepare(Scene(world))
            with hurried(database_url=url):
                began = time.monotonic()
                with interruptions.at_point(2 * one.exchange - 1, one.silencing(proxy)):
                    answer = scene.make(one.description, call, world)
                took = (time.monotonic() - began) * _SCALE
            proxy.thaw()
            slowest = max(slowest, took)
            findings.hold(took <= GATEWAY_SECONDS, f"{one.name}: {took:.0f} s")
            right = answer.status == one.description.registered.status or is_refusal(answer)
            findings.hold(right, f"{one.name}: {answer.status} {answer.text[:200]}")
            again = _again(one.description, call, world)
            findings.hold(again is None, f"{one.name}: then {again}")
            findings.count("silences")
    findings.measure("slowest answer", f"{slowest:.0f} s of {GATEWAY_SECONDS}, times twenty")


def _again(description: Description, call: scene.Call, world: World) -> str | None:
    """What is wrong when the same is asked once more, of a database that answers."""
    answer = scene.make(description, call, world)
    if answer.status == HTTPStatus.CONFLICT and description.registered.moves:
        # A call that could not even say that it failed is taken up when it can't go on any more.
        clock.follow(clock.shifted(ABANDONED_AFTER))
        answer = scene.make(description, call, world)
        clock.follow(clock.real_time)
    right = answer.status == description.registered.status
    # Without a key what was done before may be refused now, as anything that comes twice is.
    refused = not description.registered.moves and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return None if right or refused else f"{answer.status} {answer.text[:200]}"


def locked(world: World, tries: int, findings: Findings) -> None:
    """Have somebody hold every row there is while so many operations are asked for."""
    most = driver.LOCK_TIMEOUT_MS / 1000 / _SCALE
    every, slowest = writing(tries), 0.0
    for description in walk(every, findings, len(every), "operations"):
        call = description.prepare(Scene(world))
        with hurried(statement_timeout_ms=_LONG_STATEMENT_MS):
            with _everything_held():
                began = time.monotonic()
                answer = scene.make(description, call, world)
                took = time.monotonic() - began
            right = answer.status == description.registered.status
            findings.hold(
                right or is_refusal(answer),
                f"{description.operation}: {answer.status} {answer.text[:200]}",
            )
            findings.hold(took <= 2 * most + 0.15, f"{description.operation}: {took:.1f} s")
            slowest = max(slowest, took)
            if not right:
                findings.count("waits that ended")
                again = scene.make(description, call, world)
                done = again.status == description.registered.status
                findings.hold(done, f"{description.operation}: then {again.text[:200]}")
        findings.count("requests for held rows")
    findings.measure("longest wait", f"{slowest * _SCALE:.1f} s, times twenty")
    _abandoned(world, findings)


@contextmanager
def _everything_held() -> Iterator[None]:
    """Another transaction holds all rows, and does nothing."""
    names = [f"{table.schema}.{table.name}" for table in registry.tables().sorted_tables]
    with database.another_connection() as other:
        other.run("begin")
        for name in names:
            other.run(f"select from {name} for update")
        yield
        other.run("rollback")


def _abandoned(world: World, findings: Findings) -> None:
    """A process of ours stands still in a transaction: the server lets go of what it holds."""
    who, other = Scene(world).person(), Scene(world).person()
    with hurried():
        holder = driver.connect(config())
        holder.exchange([[BEGIN, Call(b"select from accounts.users for update")]])
        began, ends = time.monotonic(), driver.IDLE_IN_TRANSACTION_MS / 1000 + 1
        status = 0
        while status != HTTPStatus.NO_CONTENT and time.monotonic() - began < ends:
            status = who.api.put(f"/v1/moderation/blocks/{other.id}").status
        took = time.monotonic() - began
        findings.hold(
            status == HTTPStatus.NO_CONTENT, f"held for good by who does nothing: {status}"
        )
        findings.measure("held by who does nothing", f"{took * _SCALE:.0f} s, times twenty")
        holder.abandon()


@contextmanager
def asked_again_after_silence() -> Iterator[None]:
    """Whoever was not answered asks once more, however long they waited."""
    final = db._final  # noqa: SLF001

    def patient(unit: Connection, error: Exception) -> Exception | None:
        if isinstance(error, ConnectionLost) and not unit.committing:
            db.session.close()
            return None
        return final(unit, error)

    with replaced(db, "_final", patient):
        yield


@contextmanager
def sockets_that_wait() -> Iterator[None]:
    """A connection waits longer than anybody waits for the answer."""

    def connect(told: Config) -> driver.Driver:
        made = driver.connect(told)
        made._usock.settimeout(1.5 * GATEWAY_SECONDS / _SCALE)  # noqa: SLF001  pg8000 has no setter
        return made

    with replaced(db, "connect", connect):
        yield


@contextmanager
def _with_setting(setting: str) -> Iterator[None]:
    """Every connection has this setting instead of the program's."""
    connect = driver.connect

    def other(told: Config) -> driver.Driver:
        made = connect(told)
        made.exchange([[Call(f"set {setting}".encode())]])
        return made

    with replaced(driver, "connect", other), replaced(db, "connect", other):
        yield


PROOFS = (
    Proof(
        name="waits.for_a_silent_database",
        promise=(
            "A database that stops answering costs nobody more than 29 seconds: they are told to"
            " come again, and are served as soon as it answers."
        ),
        run=hung,
        full=30,
        short=6,
        planted=(
            Planted("asked again after a silence", asked_again_after_silence, tries=1),
            Planted("sockets that wait for longer", sockets_that_wait, tries=1),
        ),
    ),
    Proof(
        name="waits.for_held_rows",
        promise=(
            "Somebody else's transaction that holds on to rows costs nobody more than some seconds:"
            " they are told to try again, and then it works."
        ),
        run=locked,
        full=200,
        short=8,
        planted=(
            Planted("no lock timeout", partial(_with_setting, "lock_timeout = 0"), tries=1),
            Planted(
                "transactions may idle",
                partial(_with_setting, "idle_in_transaction_session_timeout = 0"),
                tries=1,
            ),
            Planted(
                "a lock timeout is a 500",
                partial(replaced, db, "LOCK_NOT_AVAILABLE", "unknown"),
                tries=3,
            ),
        ),
    ),
)
