"""Tokens that are mailed: each kind is good once, for its time, for its purpose and until the next."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from itertools import count, cycle, islice, product
from typing import Any

from sqlalchemy import bindparam, select, update

from chalicelib.core import clock, ids, limits
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.statements import command, statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.accounts.errors import TokenNotValid
from chalicelib.kernel.accounts.mailings import service as mailings
from chalicelib.kernel.accounts.schemas import Verification, Verified
from chalicelib.kernel.accounts.tables import tokens, users
from tests.faults.proof import Findings, walk
from tests.faults.world import World, replaced
from tests.support import database, people
from tests.support.api import Answer, Api
from tests.support.people import PASSWORD, Person
from tests.support.races import CONNECTIONS, many
from tests.support.state import fingerprints

_numbers = count(1)
_OTHER = "tame zebras at dusk"


@dataclass(frozen=True)
class Kind:
    """A kind of token: how it is asked for, what takes it, and how long it is good for."""

    name: str
    ask: Callable[[World, Person], str]
    path: str
    password: str
    life: timedelta

    def use(self, world: World, token: str) -> Answer:
        """Hand a token in."""
        limits.forget()
        client = Api(world.app, address=f"198.51.100.{next(_numbers) % 250}")
        return client.post(self.path, {"token": token, "password": self.password})

    def is_refused(self, answer: Answer) -> bool:
        """Whether an answer is what a bad token gets."""
        refused = answer.status == HTTPStatus.BAD_REQUEST
        return refused and answer.code == "accounts.token_not_valid"


def _mailed(world: World, address: str) -> str:
    world.cloud.deliver()
    return world.cloud.mail_to(address).token


def _asked_for(path: str) -> Callable[[World, Person], str]:
    def ask(world: World, who: Person) -> str:
        assert world.api.post(path, {"email": who.email}).status == HTTPStatus.ACCEPTED
        return _mailed(world, who.email)

    return ask


def _new_address(world: World, who: Person) -> str:
    body = {"email": f"new.{who.email}", "password": PASSWORD}
    assert who.api.post("/v1/me/email_changes", body).status == HTTPStatus.ACCEPTED
    return _mailed(world, body["email"])


_VERIFY = "/v1/auth/verifications"
KINDS = (
    Kind(
        "verify_email",
        _asked_for("/v1/auth/verification_requests"),
        _VERIFY,
        PASSWORD,
        timedelta(hours=24),
    ),
    Kind(
        "reset_password",
        _asked_for("/v1/auth/password_resets"),
        "/v1/auth/passwords",
        _OTHER,
        timedelta(hours=1),
    ),
    Kind("change_email", _new_address, _VERIFY, PASSWORD, timedelta(hours=24)),
)


def good_once(world: World, tries: int, findings: Findings) -> None:
    """So many cells of kinds and cases."""
    cells = islice(cycle(product(CASES, KINDS)), tries)
    for case, kind in walk(cells, findings, tries, "cells"):
        world.empty()
        who = people.person(world.api, verified=False)
        world.cloud.deliver()
        for wrong in case(world, kind, who, findings):
            findings.hold(None, f"{kind.name}, {case.__name__.replace('_', ' ')}: {wrong}")
        findings.count("cells")


Case = Callable[[World, Kind, Person, Findings], Iterator[str]]


def _refused(world: World, kind: Kind, token: str, findings: Findings) -> Iterator[str]:
    """Nothing, if a token is refused and leaves nothing behind."""
    before = fingerprints()
    answer = kind.use(world, token)
    findings.count("bad tokens")
    if not kind.is_refused(answer):
        yield f"a bad token got {answer.status} {answer.text[:200]}"
    if fingerprints() != before:
        yield "a bad token changed something"


def _taken(world: World, kind: Kind, token: str) -> Iterator[str]:
    answer = kind.use(world, token)
    if answer.status != HTTPStatus.OK:
        yield f"a good token got {answer.status} {answer.text[:200]}"


def used_again(world: World, kind: Kind, who: Person, findings: Findings) -> Iterator[str]:
    """Twice in a row."""
    token = kind.ask(world, who)
    yield from _taken(world, kind, token)
    yield from _refused(world, kind, token, findings)


def used_at_once(world: World, kind: Kind, who: Person, findings: Findings) -> Iterator[str]:
    """Over sixteen connections at once, several times each."""
    token = kind.ask(world, who)
    answers = many(CONNECTIONS * 3, lambda: kind.use(world, token))
    taken = sum(answer.status == HTTPStatus.OK for answer in answers)
    others = sum(kind.is_refused(answer) for answer in answers if answer.status != HTTPStatus.OK)
    findings.count("bad tokens", len(answers) - 1)
    if (taken, others) != (1, len(answers) - 1):
        yield f"of {len(answers)} at once {taken} were taken and {others} refused"


def used_late(world: World, kind: Kind, who: Person, findings: Findings) -> Iterator[str]:
    """The moment its time is over; a moment before it is good."""
    start = clock.now()
    clock.follow(clock.frozen(start))
    token = kind.ask(world, who)
    clock.follow(clock.frozen(start + kind.life))
    yield from _refused(world, kind, token, findings)
    clock.follow(clock.frozen(start + kind.life - timedelta(seconds=1)))
    yield from _taken(world, kind, token)


def used_after_another(world: World, kind: Kind, who: Person, findings: Findings) -> Iterator[str]:
    """When another of its kind was mailed since."""
    older = kind.ask(world, who)
    newer = kind.ask(world, who)
    yield from _refused(world, kind, older, findings)
    yield from _taken(world, kind, newer)


def used_for_another_end(
    world: World, kind: Kind, who: Person, findings: Findings
) -> Iterator[str]:
    """Where a token of another kind is asked for, or an access or a refresh token."""
    token = kind.ask(world, who)
    for other in KINDS:
        if other.path != kind.path:
            yield from _refused(world, other, token, findings)
    limits.forget()
    refreshed = world.api.post("/v1/auth/sessions/refresh", {"refresh_token": token})
    entered = Api(world.app, token=token).get("/v1/me")
    for answer in (refreshed, entered):
        if answer.status != HTTPStatus.UNAUTHORIZED:
            yield f"it opened something: {answer.status}"
    yield from _refused(world, kind, who.refresh_token, findings)
    yield from _taken(world, kind, token)


def altered(world: World, kind: Kind, who: Person, findings: Findings) -> Iterator[str]:
    """With a character changed, and what the database holds of it."""
    token = kind.ask(world, who)
    ((stored,),) = database.execute(
        "select token_hash from accounts.tokens where kind = $1 and used_at is null", kind.name
    )
    if token in str(database.execute("select t::text from accounts.tokens t")):
        yield "it is stored as it is"
    for at in range(0, len(token), 7):
        other = "A" if token[at] != "A" else "B"
        yield from _refused(world, kind, token[:at] + other + token[at + 1 :], findings)
    for wrong in (str(stored), token.swapcase(), token + "A", token[:-1]):
        yield from _refused(world, kind, wrong, findings)
    yield from _taken(world, kind, token)


def used_when_shut_out(world: World, kind: Kind, who: Person, findings: Findings) -> Iterator[str]:
    """After its owner was banned."""
    token = kind.ask(world, who)
    database.execute("update accounts.users set status = 'banned' where id = $1", who.id)
    yield from _refused(world, kind, token, findings)


CASES: tuple[Case, ...] = (
    used_again,
    used_at_once,
    used_late,
    used_after_another,
    used_for_another_end,
    altered,
    used_when_shut_out,
)

_LOOK = statement(
    select(tokens.c.user_id, users.c.password_hash)
    .join(users, users.c.id == tokens.c.user_id)
    .where(tokens.c.token_hash == bindparam("hashed"), tokens.c.used_at.is_(None))
)
_VERIFIED = command(
    update(users)
    .where(users.c.id == bindparam("whose"))
    .values(email_verified_at=bindparam("now", type_=users.c.created_at.type))
)
_USED = command(
    update(tokens)
    .where(tokens.c.token_hash == bindparam("hashed"))
    .values(used_at=bindparam("now", type_=users.c.created_at.type))
)


@contextmanager
def looked_at_first() -> Iterator[None]:
    """A token is looked at, acted on, and marked as used afterwards."""

    def verify(transactions: Transactions, data: Verification) -> Verified:
        hashed = ids.token_hash(data.token)
        row = transactions.read(lambda unit: unit.one(_LOOK, hashed=hashed))
        if row is None:
            raise TokenNotValid

        def mark(unit: Connection) -> None:
            unit.run(_VERIFIED, whose=row[0], now=clock.now())
            unit.run(_USED, hashed=hashed, now=clock.now())

        transactions.write(mark)
        return Verified()

    with replaced(accounts, "verify_email", verify):
        yield


@contextmanager
def good_for_a_year() -> Iterator[None]:
    """No token ever ends."""
    mint = accounts.mint_token

    def endless(unit: Connection, user_id: Any, kind: str, _life: timedelta) -> str:
        return mint(unit, user_id, kind, timedelta(days=365))

    with replaced(mailings, "mint_token", endless):
        yield
