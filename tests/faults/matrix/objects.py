"""What belongs to one person does not exist for another."""

from tests.faults.described import scene as scenes
from tests.faults.matrix.board import Board, Round, drawn, nothing_like
from tests.faults.matrix.cast import Caller
from tests.faults.matrix.sessions import NOT_VERIFIED
from tests.faults.proof import Findings
from tests.faults.world import World

FIRST = ("notifications_inbox_read", "accounts_sessions_end")
_IDS = 40


def run(world: World, tries: int, findings: Findings) -> None:
    """Every operation on something of one's own, by everybody else, with every id of the owner's."""
    needs = ("other", "blocked", "blocker", "admin", "unverified")
    board = Board(world, findings, needs)
    owned = [one for one in scenes.every().values() if one.reach == "owner"]
    for one in board.rounds(drawn(owned, tries, *FIRST)):
        with one.nothing_changes():
            for name in needs:
                _held(one, getattr(board.cast, name), verified=name != "unverified")
        one.control()
    board.end()


def _held(one: Round, caller: Caller, *, verified: bool) -> None:
    refused = not verified and one.operation.access.verified
    judge = NOT_VERIFIED if refused else nothing_like(one.nothing(caller))
    # Whom one blocked oneself one may let go.
    named = [
        (variant, call)
        for variant, call in one.ids(_IDS)
        if not (one.operation.name == "moderation_unblock" and _names_owner(one, call.path))
    ]
    one.hold(caller, [("as it stands", one.call), *named], judge)


def _names_owner(one: Round, path: object) -> bool:
    return one.owner is not None and str(one.owner.id) in str(path)
