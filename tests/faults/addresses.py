"""Whether somebody has an account: asked in every way that takes an address, of whoever says it."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from chalicelib.core import clock, limits, outbox
from chalicelib.core.db import Connection
from chalicelib.core.errors import Conflict
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.accounts.events import PasswordResetRequested
from chalicelib.kernel.accounts.passwords import service as passwords
from chalicelib.kernel.accounts.queries import USER_BY_EMAIL
from chalicelib.kernel.accounts.schemas import Accepted, SignUp
from tests.faults.proof import Findings, walk
from tests.faults.world import World, replaced
from tests.support import database, logs, people
from tests.support.api import Answer, Api
from tests.support.people import PASSWORD

_numbers = itertools.count(1)
_ASKS_IN_A_ROW = 12


@dataclass(frozen=True)
class Asked:
    """A way of asking that takes an address."""

    name: str
    ask: Callable[[Api, str], Answer]
    signed_in: bool = False


ASKED = (
    Asked("sign-up", lambda api, at: api.post("/v1/auth/sign_ups", _with(at, PASSWORD))),
    Asked("sign-in", lambda api, at: api.post("/v1/auth/sessions", _with(at, "not this one"))),
    Asked("reset", lambda api, at: api.post("/v1/auth/password_resets", {"email": at})),
    Asked(
        "verification", lambda api, at: api.post("/v1/auth/verification_requests", {"email": at})
    ),
    Asked(
        "change of address",
        lambda api, at: api.post("/v1/me/email_changes", _with(at, PASSWORD)),
        signed_in=True,
    ),
)


def _with(address: str, password: str) -> dict[str, str]:
    return {"email": address, "password": password}


def nobody() -> str:
    """An address that nobody has, of the same length as everybody's."""
    return f"nobody{next(_numbers):06}@kith.example"


def _somebody(world: World, state: str) -> str:
    """The address of somebody in a state."""
    address = f"person{next(_numbers):06}@kith.example"
    who = people.person(world.api, verified=state != "unverified", email=address)
    if state == "banned":
        database.execute("update accounts.users set status = 'banned' where id = $1", who.id)
    return address


_STATES: dict[str, Callable[[str], str]] = {
    "verified": str,
    "unverified": str,
    "banned": str,
    "in capitals": str.upper,
}


def tell_nothing(world: World, tries: int, findings: Findings) -> None:
    """Ask of a known and an unknown address in turn; nothing may tell the two apart."""
    cells = itertools.product(ASKED, _STATES.items())
    for asked, (state, spell) in walk(
        itertools.islice(itertools.cycle(cells), tries), findings, tries, "pairs"
    ):
        world.empty()
        clock.follow(clock.frozen(clock.now()))
        asking = people.person(world.api) if asked.signed_in else None
        known, unknown = spell(_somebody(world, state)), spell(nobody())
        world.cloud.deliver()
        seen = [_seen(world, asked, asking.api if asking else None, at) for at in (known, unknown)]
        for number, (one, other) in enumerate(zip(*seen, strict=True), 1):
            told = f"{asked.name}, {state}, asked {number} times: {one} and {other}"
            findings.hold(one == other, told)
        findings.count("pairs")
        findings.count("answers compared", 2 * _ASKS_IN_A_ROW)
        clock.follow(clock.real_time)


def _seen(world: World, asked: Asked, api: Api | None, address: str) -> list[tuple[Any, ...]]:
    """All that an asker could see, time aside, of asking often enough to reach the limit."""
    database.execute("delete from core.rate_limits")
    limits.forget()
    # What a place or a person asked before must not count against the other address.
    client = api or Api(world.app, address=f"198.51.100.{next(_numbers) % 250}")
    seen = []
    for _ in range(_ASKS_IN_A_ROW):
        waiting = _waiting(world)
        answer = asked.ask(client, address)
        trips = logs.last_request(world.log_path)["round_trips"]
        seen.append((*_without_id(answer), trips, _waiting(world) - waiting))
    return seen


def _waiting(world: World) -> int:
    return sum(len(messages) for messages in world.cloud.queues.values())


def _without_id(answer: Answer) -> tuple[Any, ...]:
    told = {name: value for name, value in answer.headers.items() if name.lower() != "request-id"}
    text = answer.text.replace(answer.headers["Request-Id"], "")
    return answer.status, sorted(told.items()), text


@contextmanager
def known_address_conflicts() -> Iterator[None]:
    """A sign-up of a known address is refused, as many sites do it."""
    sign_up = accounts.sign_up

    def told(unit: Connection, data: SignUp) -> Accepted:
        if unit.one(USER_BY_EMAIL, email=data.email) is not None:
            raise Conflict("there is an account with this address")
        return sign_up(unit, data)

    with replaced(accounts, "sign_up", told):
        yield


@contextmanager
def only_the_known_are_mailed() -> Iterator[None]:
    """For an unknown address nothing is done."""

    def requested(unit: Connection, email: str) -> Accepted:
        row = unit.one(USER_BY_EMAIL, email=email)
        if row:
            outbox.publish(unit, PasswordResetRequested(row[0]))
        return Accepted()

    with replaced(passwords, "request_reset", requested):
        yield
