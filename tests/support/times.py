"""Time that tests move: ours and the provider's together."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from chalicelib.core import clock, jobs
from tests.support.stripe import Stripe


@dataclass
class Times:
    """How far ahead of the wall both clocks are."""

    stripe: Stripe
    ahead: timedelta = timedelta()

    def pass_by(self, span: timedelta) -> None:
        """Let time go by."""
        self.ahead += span
        clock.follow(clock.shifted(self.ahead))
        self.stripe.fake.set_clock(int(self.ahead.total_seconds()))

    def stop(self) -> None:
        """Let our clock stand still."""
        clock.follow(clock.frozen(clock.now()))

    def run(self, job: str) -> dict[str, Any]:
        """Run a job for the slot that is now."""
        return jobs.run(jobs.registered[job], clock.now())

    def back(self) -> None:
        """Go by the wall again."""
        clock.follow(clock.real_time)
        self.stripe.fake.set_clock(0)
