"""What stands in for signing in - a mailed token, a password, a signature - and nothing else does."""

import itertools
import secrets
import string
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from tests.faults.described import scene as scenes
from tests.faults.described.scene import Call
from tests.faults.matrix.board import Board, Judge, Round, drawn, plain
from tests.faults.matrix.cast import Caller
from tests.faults.proof import Findings
from tests.faults.world import World
from tests.support.api import Answer

FIRST = ("accounts_passwords_reset", "moderation_appeals_appeal_by_token")


class Place(NamedTuple):
    """Where a call holds what proves that it may be made."""

    part: str
    name: str

    def value(self, call: Call) -> str:
        """What stands there."""
        # Stripe adds a signature of version 0 in test mode, which proves nothing.
        return str(self._holder(call)[self.name]).partition(",v0=")[0]

    def put(self, call: Call, value: str) -> Call:
        """The call with something else there."""
        changed = dict(self._holder(call)) | {self.name: value}
        return replace(call, **{self.part: changed})  # type: ignore[arg-type]

    def _holder(self, call: Call) -> dict[str, object]:
        return dict(getattr(call, self.part))


_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
# In base64 the last letter may have bits to spare: its neighbour says the same.
_NEXT = dict(itertools.pairwise(_LETTERS))
PLACES = {
    "accounts_refresh": Place("body", "refresh_token"),
    "accounts_sign_in": Place("body", "password"),
    "accounts_verify_email": Place("body", "token"),
    "accounts_passwords_reset": Place("body", "token"),
    "billing_webhooks_stripe": Place("headers", "Stripe-Signature"),
    "moderation_appeals_appeal_by_token": Place("path", "token"),
    "notifications_preferences_unsubscribe": Place("path", "token"),
}


def run(world: World, tries: int, findings: Findings) -> None:
    """Every such operation with what proves something else, or nearly the same."""
    board = Board(world, findings, ("other",))
    some = [one for one in scenes.every().values() if one.reach == "token"]
    unknown = {one.operation for one in some} - PLACES.keys()
    findings.hold(not unknown, f"nobody said what proves that one may: {sorted(unknown)}")
    known = [one for one in some if one.operation in PLACES]
    # In a short run, every few letters of each.
    step = 1 if tries >= len(known) else 7
    others = {one.operation: (one, one.prepare(board.scene)) for one in known}
    for one in board.rounds(drawn(known, tries, *FIRST)):
        place = PLACES[one.operation.name]
        # A header of signatures is a list: it is right if one in it is.
        right = place.value(one.call)
        foreign = [
            PLACES[name].value(call)
            for name, (_other, call) in others.items()
            if name != one.operation.name
        ]
        foreign.append(str(board.cast.other.api.token))
        calls = [
            (f"with {value} for {right}", place.put(one.call, value))
            for value in (*_nearly(right, step), *foreign)
            if value != right and not (place.part == "headers" and right in value)
        ]
        with one.nothing_changes():
            one.hold(board.cast.nobody, calls, _refused(one, board.cast.nobody, place, right))
        one.control()
    for other, call in others.values():
        # What was tried in the wrong place was good all the time, in its own.
        answer = scenes.make(other, call, world)
        holds = answer.status == other.registered.status
        findings.hold(holds, f"{other.operation}: answered {answer.status} {answer.text[:160]}")
    board.end()


def _nearly(right: str, step: int) -> Iterator[str]:
    """What is one letter from right, or right in part."""
    for at in reversed(range(len(right) - 1, -1, -step)):
        other = "A" if right[at] != "A" else "B"
        yield right[:at] + other + right[at + 1 :]
        yield right[:at] + _NEXT.get(right[at], "_") + right[at + 1 :]
        yield right[:at] + right[at].swapcase() + right[at + 1 :]
        yield right[:at] + right[at + 1 :]
    for at in range(1, len(right), 4 * step):
        yield right[:at]
        yield right[at:]
    yield right[::-1]
    yield right + right
    yield right + "="
    yield right + "A"


def _refused(one: Round, caller: Caller, place: Place, right: str) -> Judge:
    """As made-up proofs of the same length are; what has not even their form is told so."""
    made_up = secrets.token_urlsafe(len(right))[: len(right)]
    nothing = plain(one.ask(caller, place.put(one.call, made_up)))

    def judge(answer: Answer, _variant: str) -> str | None:
        if answer.status == 400 and answer.code == "validation_failed":
            return None
        return None if plain(answer) == nothing else f"answered {answer.status} {answer.text[:80]}"

    return judge
