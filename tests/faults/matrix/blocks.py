"""A block, and a ban, hold in everything at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from tests.faults.described import scene as scenes
from tests.faults.matrix import canaries
from tests.faults.matrix.board import Board, Round, answered, block, drawn, nothing_like
from tests.faults.matrix.cast import Caller
from tests.faults.proof import Findings
from tests.faults.world import World
from tests.support import database
from tests.support.api import Answer

FIRST = ("marketplace_posts_get", "marketplace_reveals_of_post", "marketplace_posts_search")
_IDS = 40
_NO_CREDIT = answered(409, "billing.insufficient_credits")
# Whom one blocked one is told, and what is stored of one: both hold only what one did oneself.
_ONES_OWN_DOING = {"moderation_blocks", "accounts_erasure_export"}


def run(world: World, tries: int, findings: Findings) -> None:
    """Everything that shows somebody to others, to those between whom a block stands."""
    board = Board(world, findings, ("other", "blocked", "blocker", "admin"))
    shared = [one for one in scenes.every().values() if _shows_others(one)]
    for one in board.rounds(drawn(shared, tries, *FIRST)):
        with one.nothing_changes():
            if one.description.reach in {"members", "everyone"}:
                _named(one)
            elif one.call.owner is not None and one.operation.method == "GET":
                _listed(one, one.call.owner.id)
            if one.operation.method == "GET" and one.operation.name not in _ONES_OWN_DOING:
                _look_again(one)
        one.control()
    board.end()


def _shows_others(one: scenes.Description) -> bool:
    operation = one.registered
    if not operation.access.signed_in or operation.access.roles:
        return False
    return one.reach in {"members", "everyone"} or operation.method == "GET"


def _named(one: Round) -> None:
    """A thing of the owner's, named by its id: for those two there is none, nor while banned."""
    cast = one.board.cast
    for caller in (cast.blocked, cast.blocker):
        calls = [("as it stands", one.call), *one.ids(_IDS)]
        one.hold(caller, calls, nothing_like(one.nothing(caller)))
    assert one.owner is not None
    with _banned(one.owner.id):
        for caller in (cast.other, cast.admin):
            calls = [("while the owner is banned", one.call)]
            one.hold(caller, calls, nothing_like(one.nothing(caller)))
    if one.operation.method == "GET" or one.operation.moves:
        judge = _NO_CREDIT if one.operation.moves else _succeeded
        for caller in (cast.other, cast.admin):
            one.hold(caller, [("as it stands", one.call)], judge, may_know=canaries.public())


def _listed(one: Round, owner: UUID) -> None:
    """A list that shows the owner's things to others: not to those two, nor while banned."""
    cast = one.board.cast
    for caller in (cast.blocked, cast.blocker):
        may_know = canaries.public(one.board.owners)
        one.hold(caller, [("as it stands", one.call)], _succeeded, may_know=may_know)
    shown = str(owner) in one.ask(cast.other).text
    one.board.findings.hold(shown, f"{one.operation.name}: the owner is shown to nobody")
    with _banned(owner):
        may_know = canaries.public({owner})
        one.hold(cast.other, [("while banned", one.call)], _succeeded, may_know=may_know)


def _look_again(one: Round) -> None:
    """Whoever an answer tells of: it no longer does once a block stands between the two."""
    assert one.call.by is not None
    rightful = Caller("the rightful caller", one.call.by.api, one.call.by.id)
    told = canaries.telling(one.ask(rightful).text)
    asked = canaries.telling(scenes.address_of(one.description, one.call))
    for user_id, name in database.execute("select id, name from accounts.users"):
        about = {str(user_id), str(name)} - asked
        if user_id == rightful.id or not told & about:
            continue
        for pair in ((rightful.id, user_id), (user_id, rightful.id)):
            with _blocked(*pair):
                answer = one.ask(rightful)
            one.board.cells += 1
            left = canaries.telling(answer.text) & about
            what = "of somebody who is blocked" if pair[0] == rightful.id else "of who blocked them"
            title = one.title(rightful, f"told {what}")
            one.board.findings.hold(not left, f"{title}: {sorted(left)}")
            one.board.findings.count("people told of before a block, and not after")


def _succeeded(answer: Answer, _variant: str) -> str | None:
    return None if answer.status < 300 else f"answered {answer.status}"


@contextmanager
def _banned(user_id: UUID) -> Iterator[None]:
    database.execute("update accounts.users set status = 'banned' where id = $1", user_id)
    yield
    database.execute("update accounts.users set status = 'active' where id = $1", user_id)


@contextmanager
def _blocked(blocker: UUID | None, blocked: UUID | None) -> Iterator[None]:
    block(blocker, blocked)
    yield
    database.execute(
        "delete from moderation.blocks where blocker_id = $1 and blocked_id = $2", blocker, blocked
    )
