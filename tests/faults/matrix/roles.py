"""Staff do what their role allows, for their product, and nothing else."""

from dataclasses import replace
from uuid import uuid4

from tests.faults.described import scene as scenes
from tests.faults.described.scene import Call
from tests.faults.matrix.board import (
    Board,
    Round,
    answered,
    drawn,
    ids_of,
    nothing_like,
    with_ids,
)
from tests.faults.matrix.cast import ELSEWHERE, Caller, may
from tests.faults.matrix.sessions import NOT_VERIFIED
from tests.faults.proof import Findings
from tests.faults.world import World
from tests.support.api import Answer

FIRST = ("billing_payments_get", "operations_settings_current", "accounts_users_get")
NOT_ALLOWED = answered(403, "not_allowed")


def run(world: World, tries: int, findings: Findings) -> None:
    """Every operation of staff, by each role for all products, this one and another."""
    board = Board(world, findings, ("staff", "other", "unverified", "unverified_admin"))
    guarded = [one for one in scenes.every().values() if one.reach == "staff"]
    for one in board.rounds(drawn(guarded, tries, *FIRST)):
        with one.nothing_changes():
            _refused(one)
        for (role, product), caller in board.cast.staff.items():
            if one.operation.method == "GET" and may(one.operation.access, role, product):
                _allowed(one, caller)
        one.control()
    board.end()


def _refused(one: Round) -> None:
    cast, variants = one.board.cast, _variants(one)
    one.hold(cast.other, variants, NOT_ALLOWED)
    one.hold(cast.unverified, variants, NOT_VERIFIED)
    one.hold(cast.unverified_admin, variants, NOT_VERIFIED)
    for (role, product), caller in cast.staff.items():
        if not may(one.operation.access, role, product):
            one.hold(caller, variants, NOT_ALLOWED)
        if "product" in one.call.path:
            _elsewhere(one, caller, holds=role in one.operation.access.roles, where=product)


def _variants(one: Round) -> list[tuple[str, Call]]:
    calls = [
        ("as it stands", one.call),
        ("about nothing there is", with_ids(one.description, one.call, str(uuid4()))),
    ]
    if one.owner is not None:
        calls.append(("about its owner", with_ids(one.description, one.call, str(one.owner.id))))
    return calls


def _allowed(one: Round, caller: Caller) -> None:
    """A role that is enough is enough: then the refusals are the role's, and not the call's."""
    answer = one.ask(caller)
    one.board.findings.count("roles that were enough")
    one.board.findings.hold(
        answer.status == one.operation.status,
        f"{one.title(caller, 'who may')}: answered {answer.status} {answer.text}",
    )


def _elsewhere(one: Round, caller: Caller, *, holds: bool, where: str) -> None:
    """The same ids under another product's address: there they name nothing."""
    call = replace(one.call, path=dict(one.call.path) | {"product": ELSEWHERE}, key=str(uuid4()))
    variants = [("at another product's address", call)]
    if not holds or where == "marketplace":
        one.hold(caller, variants, NOT_ALLOWED)
    elif ids_of(one.operation):
        nothing = one.ask(caller, with_ids(one.description, call, str(uuid4())))
        one.hold(caller, variants, nothing_like(nothing))
    elif one.operation.method == "GET":
        one.hold(caller, variants, _found)


def _found(answer: Answer, _variant: str) -> str | None:
    return None if answer.status < 300 else f"answered {answer.status}"
