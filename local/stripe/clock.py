"""The fake's clock: real time moved by an offset, so that a day of expiries takes a second.

Everything Stripe dates follows it: `created`, `expires_at`, the age of idempotency keys. Signatures
don't, because whoever verifies them compares with real time.
"""

import time

from local.stripe.store import Store, Transaction

_SETTING = "clock_offset_seconds"


class Clock:
    """Tells the moved time; the offset is kept in the store."""

    def __init__(self, store: Store) -> None:
        with store.transaction() as rows:
            self.offset_seconds = int(rows.setting(_SETTING) or 0)

    def now(self) -> int:
        """Epoch seconds by the moved clock."""
        return int(time.time()) + self.offset_seconds

    def move_to(self, rows: Transaction, offset_seconds: int) -> None:
        """Set how far the clock is ahead of real time, in seconds."""
        rows.set(_SETTING, str(offset_seconds))
        self.offset_seconds = offset_seconds
