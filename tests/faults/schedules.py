"""Whatever order Stripe tells of a purchase in, twice, late or never: it ends in one state."""

from functools import partial

from tests.faults import naive_effects
from tests.faults.converging import TOGETHER, converge
from tests.faults.lifecycles import PURCHASES
from tests.faults.proof import Planted, Proof

PROOFS = (
    Proof(
        "schedules.purchases",
        "Whatever order a payment provider tells of a purchase in, twice, late or never, and"
        " whoever dies of it, its buyer has what was paid for, once, and nothing that was not.",
        partial(converge, PURCHASES),
        full=6_000,
        short=4 * TOGETHER,
        planted=(
            Planted(
                "an event is settled, then applied", naive_effects.settling_first, tries=TOGETHER
            ),
            Planted("credits are given each time", naive_effects.giving_each_time, tries=TOGETHER),
            Planted("nobody asks what was lost", naive_effects.never_asking, tries=2 * TOGETHER),
        ),
    ),
)
