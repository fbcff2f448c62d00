"""Whoever has no session that stands gets nowhere, whoever they are or were."""

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.core import operations
from tests.faults.described import scene as scenes
from tests.faults.matrix.board import Board, Round, answered, drawn, with_ids
from tests.faults.matrix.cast import Caller
from tests.faults.proof import Findings
from tests.faults.world import World
from tests.support import database, people
from tests.support.people import Person

NOT_SIGNED_IN = answered(401, "not_signed_in")
NOT_VERIFIED = answered(403, "not_verified")
FIRST = ("billing_checkouts_create", "accounts_profile_me")


def run(world: World, tries: int, findings: Findings) -> None:
    """Every operation for those who are signed in, by everybody who is not or may not yet."""
    board = Board(world, findings, ("gone", "unverified", "unverified_admin"))
    guarded = [
        one
        for one in scenes.every().values()
        if operations.registered[one.operation].access.signed_in
    ]
    for one in board.rounds(drawn(guarded, tries, *FIRST)):
        with one.nothing_changes():
            _by_the_cast(one)
        if one.call.by is not None:
            _by_the_rightful(one, one.call.by)
        one.control()
    board.end()


def _by_the_cast(one: Round) -> None:
    cast, access = one.board.cast, one.operation.access
    if not access.optional:
        _held(one, cast.nobody)
    for caller in cast.gone:
        _held(one, caller)
    if access.verified:
        for caller in (cast.unverified, cast.unverified_admin):
            _held(one, caller, verified=True)


def _held(one: Round, caller: Caller, *, verified: bool = False) -> None:
    variants = [
        ("as it stands", one.call),
        ("about nothing there is", with_ids(one.description, one.call, NOTHING)),
    ]
    one.hold(caller, variants, NOT_VERIFIED if verified else NOT_SIGNED_IN)


NOTHING = "019a9e00-0000-7000-8000-00000000dead"


def _by_the_rightful(one: Round, rightful: Person) -> None:
    """The very person who may, but for one thing."""
    ended = people.again(rightful)
    assert ended.api.delete("/v1/auth/sessions/current").status == 204
    with one.nothing_changes():
        _held(one, Caller("the rightful caller's ended session", ended.api))
        _while_not_quite(one, rightful)


def _while_not_quite(one: Round, rightful: Person) -> None:
    with _while(rightful, "status = 'banned'"):
        _held(one, Caller("the rightful caller while banned", rightful.api))
    if one.operation.access.verified:
        with _while(rightful, "email_verified_at = null"):
            unverified = Caller("the rightful caller while not verified", rightful.api)
            _held(one, unverified, verified=True)


@contextmanager
def _while(who: Person, otherwise: str) -> Iterator[None]:
    """Something is otherwise with somebody meanwhile; their sessions stand."""
    known = "select status, email_verified_at from accounts.users where id = $1"
    ((status, verified_at),) = database.execute(known, who.id)
    database.execute(f"update accounts.users set {otherwise} where id = $1", who.id)
    yield
    back = "update accounts.users set status = $2, email_verified_at = $3 where id = $1"
    database.execute(back, who.id, status, verified_at)
