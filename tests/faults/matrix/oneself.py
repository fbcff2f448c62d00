"""What somebody does on their own account concerns nobody else."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from chalicelib.core import clock
from tests.faults.described import scene as scenes
from tests.faults.described.scene import Call
from tests.faults.matrix import canaries
from tests.faults.matrix.board import Board, Judge, Round, drawn, forget_rates, plain
from tests.faults.matrix.cast import Caller
from tests.faults.proof import Findings
from tests.faults.world import World
from tests.support import database
from tests.support.api import Answer

FIRST = ("notifications_inbox_inbox", "notifications_inbox_read_all")
# Whose account it is says the token, and nothing else.
_HEADERS = (
    "X-User-Id",
    "X-User",
    "X-Forwarded-User",
    "X-Remote-User",
    "X-Authenticated-User",
    "X-Original-User",
    "X-Impersonate-User",
    "X-Amzn-Oidc-Identity",
    "Cookie",
    "Forwarded",
)


def run(world: World, tries: int, findings: Findings) -> None:
    """Every operation that names nothing of anybody, by others than its caller."""
    needs = ("other", "blocked", "blocker", "admin", "unverified")
    board = Board(world, findings, needs)
    own = [
        one
        for one in scenes.every().values()
        if one.reach == "nobody" and one.registered.access.signed_in
    ]
    for one in board.rounds(drawn(own, tries, *FIRST)):
        if one.operation.method == "GET":
            with one.nothing_changes(), standing_still():
                for name in needs:
                    _look(one, getattr(board.cast, name))
        else:
            _act(one)
        one.control()
    board.end()


@contextmanager
def standing_still() -> Iterator[None]:
    """The clock stands, so that answers which tell the time are alike."""
    clock.follow(clock.frozen(clock.now()))
    yield
    clock.follow(clock.real_time)


def _succeeded(one: Round) -> Judge:
    def judge(answer: Answer, _variant: str) -> str | None:
        if answer.status == one.operation.status:
            return None
        return f"answered {answer.status}"

    return judge


def _look(one: Round, caller: Caller) -> None:
    """Reading shows the caller's own, whoever the headers and the query say it is."""
    hidden = one.board.owners if caller.title in _HIDDEN_FROM else set()
    may_know = canaries.public(hidden) | _named_before(one, caller)
    one.hold(caller, [("as it stands", one.call)], _succeeded(one), may_know=may_know)
    straight = plain(one.ask(caller))

    def judge(answer: Answer, _variant: str) -> str | None:
        return None if plain(answer) == straight else "another answer than without it"

    assert one.owner is not None
    headers = [
        (f"with the header {name}", replace(one.call, headers={name: str(one.owner.id)}))
        for name in _HEADERS
    ]
    one.hold(caller, headers, judge, may_know=may_know)
    if one.operation.query is None:
        asked = [(f"with ?{name}", _asking(one, name)) for name in _names()]
        one.hold(caller, asked, judge, may_know=may_know)


_HIDDEN_FROM = {"a user whom the owner blocked", "a user who blocked the owner"}


def _named_before(one: Round, caller: Caller) -> frozenset[str]:
    """Whom the caller blocked: that they know, since they said it."""
    if caller.title == "a user who blocked the owner":
        return frozenset(str(owner) for owner in one.board.owners)
    return frozenset()


def _asking(one: Round, name: str) -> Call:
    assert one.owner is not None
    return replace(one.call, query={name: str(one.owner.id)})


def _names() -> list[str]:
    """What columns call a person or a thing."""
    found = database.execute(
        "select distinct attname::text from pg_attribute join pg_class on attrelid = pg_class.oid"
        " where relkind = 'r' and attnum > 0 and attname like '%\\_id' and"
        " relnamespace::regnamespace::text in"
        " ('accounts', 'billing', 'marketplace', 'moderation', 'notifications')"
    )
    return sorted(row[0] for row in found)


def _act(one: Round) -> None:
    """Doing it oneself leaves the rows of everybody else as they were."""
    who = one.board.scene.person()
    before = canaries.rows()
    theirs = canaries.stored(
        {table: [row for row in some if str(who.id) in row] for table, some in before.items()}
    )
    forget_rates()
    answer = scenes.make(one.description, one.call, one.board.world, by=who.api)
    one.board.cells += 1
    after = canaries.rows()
    title = one.title(Caller("another user", who.api), "on their own account")
    holds = one.board.findings.hold
    for table, some in before.items():
        for row in Counter(some) - Counter(after.get(table, [])):
            holds(canaries.telling(row) & theirs, f"{title}: changed {table} of somebody else")
    asked = canaries.telling(scenes.address_of(one.description, one.call), str(one.call.body))
    for table, some in after.items():
        for row in Counter(some) - Counter(before.get(table, [])):
            foreign = (canaries.telling(row) & one.foreign) - asked - theirs
            holds(not foreign, f"{title}: wrote {sorted(foreign)[:3]} of somebody else to {table}")
    wrong = one.told(answer, one.call)
    holds(not wrong, f"{title}: {wrong}")
