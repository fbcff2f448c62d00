"""The fake as a whole: its parts, and how a piece of work is done in it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.stripe import paying
from local.stripe.clock import Clock
from local.stripe.deliveries import Deliveries
from local.stripe.idempotency import KeysInUse
from local.stripe.outages import Outages
from local.stripe.store import Store
from local.stripe.work import Work


def silent(_line: str) -> None:
    """A log that nobody reads."""


@dataclass(frozen=True)
class Settings:
    """How a fake is set up.

    `state` is its file, `durable` whether each answer waits for the disk (tests needn't).
    `webhook_secrets` are tried by the receiver: two while one is rotated. `first_pause` is in
    seconds, `most_attempts` None never gives a webhook up. `log` takes one line a call or event.
    """

    state: Path
    port: int = 0
    webhook_url: str | None = None
    webhook_secrets: Sequence[str] = ()
    api_key: str = "sk_test_kith"
    durable: bool = True
    first_pause: float = 1.0
    most_attempts: int | None = None
    log: Callable[[str], None] = silent


class Fake:
    """One Stripe account in test mode, reached at `url`."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.settings = settings
        self.url = url
        self.stopping = threading.Event()
        self.store = Store(settings.state, durable=settings.durable)
        self.clock = Clock(self.store)
        self.keys = KeysInUse()
        self.outages = Outages(self.stopping)
        self.deliveries = Deliveries(
            self.store,
            first_pause=settings.first_pause,
            most_attempts=settings.most_attempts,
            tick=self.let_time_pass,
            log=settings.log,
        )
        self.deliveries.send_to(settings.webhook_url, settings.webhook_secrets)

    @contextmanager
    def work(
        self, *, request_id: str | None = None, idempotency_key: str | None = None
    ) -> Iterator[Work]:
        """A transaction in which whatever time has ended is over already."""
        with self.store.transaction() as rows:
            now = self.clock.now()
            paying.let_time_pass(Work(rows, now, self.url))
            yield Work(rows, now, self.url, request_id, idempotency_key)

    def let_time_pass(self) -> None:
        """Expire what is due."""
        with self.work():
            pass

    def stop(self) -> None:
        """End all waits and deliveries, and close the file."""
        self.stopping.set()
        self.deliveries.stop()
        self.store.close()
