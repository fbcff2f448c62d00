"""Credits: never overspent, never charged twice, never lost, never rewritten."""

import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from chalicelib.core.config import config
from tests.faults import history, money_audit, money_workers, naive_spending
from tests.faults.money_plan import BLOCK, Stage
from tests.faults.money_workers import Share
from tests.faults.proof import Findings, Planted, Proof, walk
from tests.faults.world import World, replaced
from tests.support import database, invariants
from tests.support.crowd import posts_like
from tests.support.people import Person, credit, person, post_of
from tests.support.races import CONNECTIONS, at_once

CREDITS, TRIES = 10, 200
POSTS_EACH, RACERS = 40, 4


def _posts(world: World, count: int) -> list[str]:
    """So many published posts, by as many people."""
    first = post_of(person(world.api), world.stripe, world.cloud)
    return [first, *(str(one) for one in posts_like(first, count - 1))]


def _reveal(who: Person, post: str, key: str | None = None) -> str:
    """Reveal a contact; "revealed", or the code of the problem."""
    answer = who.api.post(f"/v1/marketplace/posts/{post}/reveal", key=key or str(uuid.uuid4()))
    return "revealed" if answer.status == 200 else answer.code


def _reveals_of(who: Person) -> int:
    sql = "select count(*) from marketplace.contact_reveals where requester_id = $1"
    return int(database.execute(sql, who.id)[0][0])


def _books_hold(findings: Findings) -> None:
    for rule, rows in invariants.broken().items():
        findings.hold(False, f"{rule}: {len(rows)} rows break it")


def spend(world: World, tries: int, findings: Findings) -> None:
    """Each of so many buyers tries 200 reveals over 16 connections, and can pay ten."""
    posts = _posts(world, TRIES)
    for number in walk(range(tries), findings, tries, "buyers"):
        buyer = person(world.api)
        credit(buyer, CREDITS)
        answers = at_once([partial(_reveal, buyer, post) for post in posts])
        findings.count("tries", len(answers))
        revealed, refused = map(answers.count, ("revealed", "billing.insufficient_credits"))
        findings.count("reveals", revealed)
        of = f"of buyer {number}'s {TRIES} tries at {CREDITS} credits"
        findings.hold(revealed == CREDITS, f"{of} {revealed} succeeded")
        findings.hold(refused == TRIES - CREDITS, f"{of} {refused} were refused as they should be")
        findings.hold(_reveals_of(buyer) == CREDITS, f"{of} {_reveals_of(buyer)} reveals stand")
        left = buyer.api.get("/v1/billing/credits").json
        findings.hold(
            (left["used"], left["remaining"]) == (CREDITS, 0), f"{of} the balance is {left}"
        )
    _books_hold(findings)


def pairs(world: World, tries: int, findings: Findings) -> None:
    """So many pairs of buyer and post, each revealed by four connections at the same moment.

    Two of the four come under one key, as a double click does, and two under keys of their own.
    The buyers have as many credits as there are contacts, so the last ones are raced for as well.
    """
    each = min(POSTS_EACH, tries)
    posts, buyers = _posts(world, each), [person(world.api) for _ in range(tries // each)]
    for buyer in buyers:
        credit(buyer, each)
    barriers = [threading.Barrier(RACERS) for _ in range(CONNECTIONS // RACERS)]

    def race(buyer: Person, post: str, barrier: threading.Barrier, racer: int) -> str:
        barrier.wait(60)
        return _reveal(buyer, post, f"twice-{post}" if racer < 2 else None)

    wanted = [(buyer, post) for post in posts for buyer in buyers]
    works: list[Callable[[], str]] = [
        partial(race, buyer, post, barriers[number % len(barriers)], racer)
        for number, (buyer, post) in enumerate(wanted)
        for racer in range(RACERS)
    ]
    connections = min(CONNECTIONS, len(works))
    answers = at_once(works, connections=connections)
    findings.count("pairs", len(wanted))
    findings.count("tries", len(answers))
    refused = [answer for answer in answers if answer != "revealed"]
    findings.hold(not refused, f"{len(refused)} tries were refused: {set(refused)}")
    for buyer in walk(buyers, findings, len(buyers), "balances read"):
        left = buyer.api.get("/v1/billing/credits").json
        charged, stand = left["used"], _reveals_of(buyer)
        findings.count("charges", charged)
        findings.hold(charged == each, f"{charged} charges for {each} contacts")
        findings.hold(stand == each, f"{stand} reveals of {each} contacts")
    _books_hold(findings)


@contextmanager
def _in_workers(name: str) -> Iterator[None]:
    """Plant a fault in the processes that move money, which are started anew and inherit none."""
    with replaced(_Here, "plant", name):
        yield


class _Here:
    """What the processes are to be told."""

    plant = ""


def killed(world: World, tries: int, findings: Findings) -> None:
    """So many operations by processes that are killed all the while and started anew."""
    operations = tries // BLOCK * BLOCK
    stage = Stage.of(world, operations)
    with tempfile.TemporaryDirectory(prefix="kith-journals-") as folder:
        shares = [
            Share(
                stage,
                config().database_url,
                number,
                operations,
                Path(folder),
                _Here.plant,
            )
            for number in range(money_workers.WORKERS)
        ]
        findings.count("processes killed", money_workers.killing(shares, findings))
        money_audit.examine(shares, findings)


def append_only(world: World, tries: int, findings: Findings) -> None:
    """So many statements against what stands in the ledger, over the program's own connection."""
    history.make(world)
    before = history.standing()
    for statement, values in walk(history.attacks(tries), findings, tries, "statements"):
        findings.count("statements")
        state = history.refused(statement, values)
        findings.hold(
            state == history.RESTRICT_VIOLATION, f"{statement}: {state or 'it was taken'}"
        )
    findings.hold(history.standing() == before, "the ledger is not what it was")


PROOFS = (
    Proof(
        "ledger.spending",
        "Whoever has ten credits gets exactly ten contacts, however many they ask for at once.",
        spend,
        full=40,
        short=2,
        planted=(
            Planted(
                "the balance is read, then written", naive_spending.looking_then_spending, tries=1
            ),
        ),
    ),
    Proof(
        "ledger.pairs",
        "A contact is paid once, however many clicks and devices ask for it in the same moment.",
        pairs,
        full=1000,
        short=120,
        planted=(
            Planted(
                "whether it was paid is asked, then it is paid",
                naive_spending.looking_then_charging,
                tries=40,
            ),
        ),
    ),
    Proof(
        "ledger.kills",
        "No credit is lost or made when processes die in the middle of moving it.",
        killed,
        full=100_000,
        short=2_000,
        planted=(
            Planted(
                "balance and transfer are written in two transactions",
                partial(_in_workers, "two transactions"),
                tries=2_000,
            ),
            Planted(
                "a repeated grant has a key of its own",
                partial(_in_workers, "a key each time"),
                tries=400,
            ),
        ),
    ),
    Proof(
        "ledger.history",
        "What was written into the ledger is never changed or taken out again.",
        append_only,
        full=2_000,
        short=200,
        planted=(Planted("the trigger is gone", naive_spending.without_the_trigger, tries=40),),
    ),
)
