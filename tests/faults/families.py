"""Refresh tokens: one that comes twice ends its whole family, in a row and at the same moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from itertools import count

from sqlalchemy import bindparam, select, update

from chalicelib.core import clock, ids, limits
from chalicelib.core.db import Connection
from chalicelib.core.statements import command, statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.accounts.errors import RefreshRefused
from chalicelib.kernel.accounts.schemas import Tokens
from chalicelib.kernel.accounts.sessions import queries
from chalicelib.kernel.accounts.tables import refresh_tokens, sessions
from tests.faults.proof import Findings, walk
from tests.faults.world import World, replaced
from tests.support import people
from tests.support.api import Answer, Api
from tests.support.people import Person
from tests.support.races import CONNECTIONS, many

_LONGEST_CHAIN = 6
_addresses = count(1)


def reuse_ends_the_family(world: World, tries: int, findings: Findings) -> None:
    """A chain of refreshes, one of its tokens again: in a row, or the newest sixteen times at once."""
    for number in walk(range(tries), findings, tries, "families"):
        limits.forget()
        who = people.person(world.api)
        elsewhere = people.again(who)
        chain = _chain(world, who, number % _LONGEST_CHAIN)
        if number % 2:
            _at_once(world, chain, findings)
        else:
            _again(world, chain, number, findings)
        # The newest first: trying one that was used would end the family itself.
        for access, refresh in reversed(chain):
            _is_dead(world, access, refresh, findings)
        findings.hold(
            elsewhere.api.get("/v1/me").status == HTTPStatus.OK, "it ended another session"
        )
        other = _refresh(world, elsewhere.refresh_token)
        findings.hold(other.status == HTTPStatus.OK, "another session can't be refreshed")
        findings.count("families")


def _refresh(world: World, token: str) -> Answer:
    # From anywhere: whoever stole a token does not sit where it was given out.
    client = Api(world.app, address=f"2001:db8::{next(_addresses):x}")
    limits.forget()
    return client.post("/v1/auth/sessions/refresh", {"refresh_token": token})


def _chain(world: World, who: Person, length: int) -> list[tuple[str, str]]:
    """Access and refresh token of a session, each pair got for the one before."""
    assert who.api.token
    chain = [(who.api.token, who.refresh_token)]
    for _ in range(length):
        told = _refresh(world, chain[-1][1]).json
        chain.append((told["access_token"], told["refresh_token"]))
    return chain


def _again(world: World, chain: list[tuple[str, str]], number: int, findings: Findings) -> None:
    """Some earlier token of the chain comes once more."""
    if len(chain) == 1:
        chain.append(_pair(_refresh(world, chain[0][1])))
    earlier = number // 2 % (len(chain) - 1)
    answer = _refresh(world, chain[earlier][1])
    findings.hold(answer.status == HTTPStatus.UNAUTHORIZED, f"a used token got {answer.status}")
    findings.count("reuses")


def _at_once(world: World, chain: list[tuple[str, str]], findings: Findings) -> None:
    """The newest token of the chain comes sixteen times at the same moment."""
    newest = chain[-1][1]
    answers = many(CONNECTIONS, lambda: _refresh(world, newest))
    won = [_pair(answer) for answer in answers if answer.status == HTTPStatus.OK]
    lost = [answer for answer in answers if answer.status == HTTPStatus.UNAUTHORIZED]
    findings.hold(len(won) == 1, f"{len(won)} of {CONNECTIONS} at once got the next tokens")
    findings.hold(len(won) + len(lost) == CONNECTIONS, str([one.status for one in answers]))
    findings.count("reuses", CONNECTIONS - 1)
    chain += won


def _pair(answer: Answer) -> tuple[str, str]:
    return answer.json["access_token"], answer.json["refresh_token"]


def _is_dead(world: World, access: str, refresh: str, findings: Findings) -> None:
    answers = [_refresh(world, refresh), Api(world.app, token=access).get("/v1/me")]
    for answer in answers:
        findings.hold(answer.status == HTTPStatus.UNAUTHORIZED, f"it lives on: {answer.status}")
        findings.count("tokens tried after the end")


@contextmanager
def reuse_goes_unnoticed() -> Iterator[None]:
    """A used token is refused, and nothing follows from it."""
    with replaced(accounts, "_end_reused", lambda _unit, _hashed: None):
        yield


_LOOK = statement(
    select(refresh_tokens.c.session_id, sessions.c.user_id)
    .join(sessions, sessions.c.id == refresh_tokens.c.session_id)
    .where(
        refresh_tokens.c.token_hash == bindparam("hashed"),
        refresh_tokens.c.replaced_at.is_(None),
        sessions.c.revoked_at.is_(None),
    )
)
_MARK = command(
    update(refresh_tokens)
    .where(refresh_tokens.c.session_id == bindparam("of_session"))
    .values(replaced_at=bindparam("now", type_=refresh_tokens.c.created_at.type))
)


@contextmanager
def looked_at_first() -> Iterator[None]:
    """Whether a token is unused is looked at first, and it is marked afterwards."""

    def replace(unit: Connection, hashed: str) -> Tokens:
        row = unit.one(_LOOK, hashed=hashed)
        if row is None:
            raise RefreshRefused
        now, token = clock.now(), ids.secret_token()
        session_id, user_id = row
        unit.run(_MARK, of_session=session_id, now=now)
        unit.later(
            queries.ADD_TOKEN,
            token_hash=ids.token_hash(token),
            session_id=session_id,
            replaced_at=None,
            created_at=now,
        )
        return accounts._tokens(user_id, session_id, token, now)  # noqa: SLF001  the very tokens

    with replaced(accounts, "_replace", replace):
        yield
