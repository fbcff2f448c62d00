"""What is sent to break things is refused, and disturbs nobody else."""

from itertools import count, cycle, islice

from chalicelib.core import clock
from tests.faults.attacks import naive
from tests.faults.attacks.headers import HEADERS
from tests.faults.attacks.requests import request_of
from tests.faults.attacks.shots import Shot, shots
from tests.faults.attacks.siege import Siege, few_of
from tests.faults.described.scene import Description, Scene, every
from tests.faults.proof import Findings, Planted, Proof, walk
from tests.faults.world import World
from tests.support.api import answered

_PAST_THE_RATE = 25
_STORED = ("text that can't be stored", "a value that can't be stored")


def inputs(world: World, tries: int, findings: Findings) -> None:
    """Every kind of value in the places of every operation's request, as many as are asked for."""
    siege = Siege(world, few_of(every(), tries), tries, findings, look_every=2)
    known = shots(target.operation for target in siege.targets.values())
    taken = list(islice(cycle(known), tries))
    for shot in taken:
        siege.fire(shot)
        findings.count("hostile inputs")
    siege.end()
    _coverage(siege, taken, findings)


def slipped(world: World, tries: int, findings: Findings) -> None:
    """What PostgreSQL has no form for, past an edge that looks for none of it."""
    siege = Siege(world, few_of(every(), tries), tries, findings, judges=False)
    known = shots(target.operation for target in siege.targets.values())
    unstorable = [
        shot
        for shot in known
        if shot.place.startswith(("field", "query"))
        and ("surrogate" in shot.kind or "NUL" in shot.kind)
    ]
    with naive.open_edge():
        for shot in islice(cycle(unstorable), tries):
            answer = siege.fire(shot)
            findings.count("values past the edge")
            if any(told in answer.text for told in _STORED):
                findings.count("of them refused by driver or database")
    siege.end()


def _coverage(siege: Siege, taken: list[Shot], findings: Findings) -> None:
    findings.measure("operations", f"{len(siege.targets)}")
    findings.measure("places", f"{len({(one.operation, one.place) for one in taken}):,}")
    findings.measure("kinds of value", f"{len({one.kind for one in taken}):,}")


def senders(world: World, tries: int, findings: Findings) -> None:
    """Requests from one address, each of which says that it comes from another."""
    clock.follow(clock.frozen(clock.real_time()))
    spoofs = cycle(
        (name, value.replace("203.0.113.7", "198.51.100.{}"))
        for name, value in HEADERS.values()
        if name in {"x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip"}
    )
    scene, addresses = Scene(world), count(1)
    limited = [one for one in every().values() if _limit_of(one) <= tries]
    for description in walk(limited, findings, len(limited), "operations"):
        call = description.prepare(scene)
        limit, address = _limit_of(description), f"198.51.100.{next(addresses)}"
        passed = 0
        for number in range(limit + _PAST_THE_RATE):
            request = request_of(description.registered, call, address)
            name, value = next(spoofs)
            request.headers[name] = f"10.{number // 200}.{number % 200}.9, {value}"
            answer = answered(world.app, request.event(as_base64=False))
            passed += answer.status != 429
            findings.count("requests that name another address")
        findings.hold(passed == limit, f"{description.operation}: {passed} of {limit} passed")
    findings.measure("operations", f"{len(limited)}")


def _limit_of(description: Description) -> int:
    """How often the same may be asked from one address; more than any number where none is said."""
    rates = description.registered.rates
    if not any(rate.by == "address" for rate in rates):
        return 1 << 30
    return min(rate.count for rate in rates)


PROOFS = (
    Proof(
        "hostile.inputs",
        "Whatever is sent is answered within two seconds, with a refusal that says why where it"
        " can't be taken, and nobody else ever gets bytes that are not theirs.",
        inputs,
        full=50_000,
        short=800,
        planted=(
            Planted(
                "what is asked for is encoded for a log", naive.what_is_asked_is_written_down, 120
            ),
            Planted(
                "answers are kept by path, for everybody", naive.answers_are_kept_by_address, 60
            ),
            Planted(
                "refusals have a form of their own", naive.refusals_have_a_form_of_their_own, 60
            ),
            Planted("refusals are written to a table", naive.refusals_are_written_down, 100),
            Planted("nobody looks how deep a body is", naive.depth_is_not_looked_at, 150),
        ),
    ),
    Proof(
        "hostile.slipped",
        "A value that can't be stored harms its own request alone, even if no check at the edge"
        " had seen it.",
        slipped,
        full=5_000,
        short=200,
        planted=(
            Planted(
                "text is encoded while it is being sent",
                naive.text_is_encoded_while_it_is_sent,
            ),
        ),
    ),
    Proof(
        "hostile.senders",
        "Nobody gets past a rate limit by naming another address in a header.",
        senders,
        full=10_000,
        short=60,
        planted=(
            Planted("the first of X-Forwarded-For counts", naive.an_address_is_what_a_header_says),
        ),
    ),
)
