"""Whatever order Stripe tells of refunds and disputes in, twice, late or never: one state."""

from functools import partial

from tests.faults import naive_effects
from tests.faults.converging import TOGETHER, converge
from tests.faults.lifecycles import REVERSALS
from tests.faults.proof import Planted, Proof

PROOFS = (
    Proof(
        "reversals.schedules",
        "Whatever order a payment provider tells of refunds and disputes in, twice, late or never,"
        " as many credits go back as money did.",
        partial(converge, REVERSALS),
        full=4_000,
        short=4 * TOGETHER,
        planted=(
            Planted("what is told last counts", naive_effects.the_last_counts, tries=TOGETHER),
            Planted("nobody asks what was lost", naive_effects.never_asking, tries=2 * TOGETHER),
        ),
    ),
)
