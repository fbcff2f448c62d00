"""What docs/openapi.json says is what is answered, to whatever it lets one send and to the rest."""

import random

from local.gateway import Gateway
from tests.faults.attacks.siege import few_of
from tests.faults.attacks.undoing import undo_for_all
from tests.faults.conformance import naive, wire
from tests.faults.conformance.callers import Callers
from tests.faults.conformance.document import cases, documented
from tests.faults.conformance.exchange import answered, prepared, wrong
from tests.faults.described.scene import Scene, every
from tests.faults.proof import Findings, Planted, Proof, walk
from tests.faults.world import World

_CASES_A_PREPARATION = 6
_LOOK_EVERY = 10
_UNDO_EVERY = 200


def document(world: World, tries: int, findings: Findings) -> None:
    """Cases made from the document, for every operation, by whoever may and by others."""
    gateway, scene = Gateway(world.app, threads=1), Scene(world)
    chosen = few_of(every(), tries)
    share = max(3, tries // (2 * len(chosen)))
    try:
        for description in walk(chosen, findings, len(chosen), "operations"):
            callers = Callers(scene, description, share // _CASES_A_PREPARATION)
            for case in cases(documented()[description.operation], share):
                findings.count("cases")
                for turn in callers.turns(case):
                    sent = prepared(turn.case, turn.by)
                    response = answered(gateway, sent)
                    findings.count("answers")
                    if response.status_code < 400:
                        findings.count("of them successes")
                        callers.used(turn)
                    for reason in wrong(turn.case, response):
                        findings.hold(False, f"{sent.method} {sent.url}: {reason[:300]}")
            world.cloud.deliver()
    finally:
        gateway.stop()
        undo_for_all()
    findings.measure("operations", f"{len(chosen)}")


def nonsense(world: World, tries: int, findings: Findings) -> None:
    """Bytes that are no requests, and some that nearly are, to the server on this machine."""
    chance = random.Random(20261120)
    with wire.listening(world.app) as address:
        ordinary = [_kept(one) for one in wire.said(address, wire.GOOD[0])]
        for name, raw in wire.REFUSED.items():
            findings.count("requests that are none")
            replies = _said(address, raw, name, findings)
            statuses = [one.status for one in replies]
            findings.hold(statuses in ([400], [413]), f"{name}: answered {statuses}")
        for number in range(tries):
            raw = wire.mutated(chance.choice(wire.GOOD), chance)
            findings.count("requests with bytes of them changed")
            _said(address, raw, repr(raw), findings)
            if number % _LOOK_EVERY == 0:
                now = [_kept(one) for one in wire.said(address, wire.GOOD[0])]
                findings.hold(now == ordinary, f"after {raw!r}: an ordinary request got {now}")
            if number % _UNDO_EVERY == 0:
                undo_for_all()
            findings.progress(number + 1, tries, "requests")


def _said(address: tuple[str, int], raw: bytes, name: str, findings: Findings) -> list[wire.Reply]:
    try:
        replies = wire.said(address, raw)
    except wire.NoAnswer as error:
        findings.hold(False, f"{name}: {error}")
        return []
    for reason in wire.wrong(replies):
        findings.hold(False, f"{name}: {reason}")
    return replies


def _kept(reply: wire.Reply) -> tuple[int, bytes]:
    return reply.status, reply.body


PROOFS = (
    Proof(
        "contract.document",
        "Every answer has a status, a form and a content type that docs/openapi.json names; what"
        " the document allows is taken, and what it does not allow is refused.",
        document,
        full=6_000,
        short=800,
        planted=(
            Planted("what is not there is gone", naive.what_is_not_there_is_gone, 120),
            Planted("fields that are null are left out", naive.nulls_are_left_out, 120),
            Planted("fields are taken by name", naive.fields_are_taken_by_name, 120),
            Planted("problems are JSON like any other", naive.problems_are_json_like_any_other, 60),
            Planted("limits are cut down", naive.limits_are_cut_down, 400),
            Planted("a page holds less than twenty", naive.a_page_holds_less_than_twenty, 120),
        ),
    ),
    Proof(
        "contract.wire",
        "Bytes that are no HTTP request are refused once and never taken for two; the next"
        " request is answered as ever.",
        nonsense,
        full=5_000,
        short=300,
        planted=(
            Planted(
                "transfer codings are nothing to us", naive.transfer_codings_are_nothing_to_us, 10
            ),
        ),
    ),
)
