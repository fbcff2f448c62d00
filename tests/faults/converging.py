"""Many lives told in many ways at once, and how many different ends they came to."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence

from tests.faults.lifecycles import Life, Outcome, offer_pix, outcomes, wrongly_returned
from tests.faults.proof import Findings
from tests.faults.telling import Teller, tell
from tests.faults.world import World
from tests.support import invariants
from tests.support.crowd import strangers

TOGETHER = 36
"""So many schedules run mixed up with one another, in one world."""
_LOSING = 3


def converge(lives: Sequence[Life], world: World, tries: int, findings: Findings) -> None:
    """So many schedules; every third batch loses events for good, and is compared with Stripe."""
    found: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for batch, begun in enumerate(range(0, tries, TOGETHER)):
        world.empty()
        world.stripe.fake.reset()
        world.stripe.fake.set_delivery_mode("drop")
        offer_pix()
        some = [lives[at % len(lives)] for at in range(begun, min(begun + TOGETHER, tries))]
        buyers = strangers(len(some))
        world.cloud.queues.clear()  # nobody reads the mails that welcome them
        teller = Teller(world, random.Random(batch), loses=batch % _LOSING == 1)
        left = tell(world, teller, buyers, some)
        findings.hold(not left, f"batch {batch}: {left} events were never applied")
        for rule, rows in invariants.broken().items():
            findings.hold(False, f"batch {batch}: {rule}: {len(rows)} rows break it")
        ended = outcomes()
        for purchase in teller.purchases:
            found[purchase.life.name][ended[purchase.checkout_id]] += 1
            wrong = wrongly_returned(world.stripe, purchase)
            findings.hold(not wrong, f"{purchase.life.name}: {wrong}")
        findings.count("schedules", len(some))
        findings.count("workers killed on the way", teller.killed)
        findings.progress(begun + len(some), tries, "schedules")
    for life in lives:
        states = found[life.name]
        findings.tell(f"{life.name}: {states.total():,} schedules, {len(states)} final states")
        for outcome, times in states.items():
            findings.hold(outcome == life.outcome, f"{life.name}: {times} times {outcome}")
    most = max(map(len, found.values()))
    findings.measure(f"final states of each of {len(found)} lives:", str(most))
