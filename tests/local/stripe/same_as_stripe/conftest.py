"""The backend that the tests here run on: the fake, and Stripe's test mode where a key is given.

What is asserted must hold for both, so that nothing passes here which Stripe would refuse.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import stripe

from chalicelib.core.config import config
from chalicelib.kernel.billing import gateway
from local.stripe.server import Running
from tests.support.environment import STRIPE_KEY

_TEST_KEYS = ("sk_test_", "rk_test_")
_VARIABLE = "STRIPE_TEST_KEY"
_LONGEST_WAIT = 60.0


class _Key(str):
    """A key that a failing test doesn't print."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<a test key>"


@dataclass(frozen=True)
class Backend:
    """Who answers: its key, for our gateway, and stripe-python's own client."""

    key: str
    client: stripe.StripeClient
    began: datetime

    def open_session(
        self, *, amount: int = 2900, checkout_id: UUID | None = None, hours: int = 2
    ) -> tuple[UUID, str, str]:
        """Open a session as the program does: the checkout's id, the session's, the page."""
        checkout = checkout_id or uuid4()
        lines = [gateway.Line("Posting fee, one year", 1, amount, "USD")]
        until = self.began + timedelta(hours=hours)
        named = gateway.create_session(self.key, checkout, "marketplace", lines, until)
        return checkout, *named

    def pay(
        self, card: str = "pm_card_visa", *, amount: int = 2900, checkout_id: UUID | None = None
    ) -> stripe.PaymentIntent:
        """Pay without a browser, by one of Stripe's test cards, what carries our metadata.

        Raises:
            stripe.CardError: the card is one that is declined.
        """
        named = {"checkout_id": str(checkout_id or uuid4()), "product": "marketplace"}
        return self.client.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": "usd",
                "metadata": named,
                "payment_method": card,
                "confirm": True,
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            }
        )

    def disputed(self, card: str) -> tuple[stripe.PaymentIntent, stripe.Dispute]:
        """A payment that is disputed at once, or rather a moment later."""
        paid = self.pay(card)
        until = time.monotonic() + _LONGEST_WAIT
        while True:
            found = self.client.v1.disputes.list({"payment_intent": paid.id}).data
            if found:
                return paid, found[0]
            assert time.monotonic() < until, "no dispute came"
            time.sleep(1)

    def events_of(self, *wanted: tuple[str, str], since: int) -> dict[tuple[str, str], Any]:
        """The events of these types about these objects, once they are all there; as our
        gateway reads them.
        """
        until = time.monotonic() + _LONGEST_WAIT
        begin = datetime.fromtimestamp(since, UTC)
        while True:
            found: dict[tuple[str, str], Any] = {}
            cursor = None
            while True:
                part = gateway.recent(self.key, "events", begin, cursor)
                found |= {(e["type"], e["data"]["object"]["id"]): e for e in part.items}
                cursor = part.cursor
                if cursor is None:
                    break
            missing = [each for each in wanted if each not in found]
            if not missing:
                return {each: found[each] for each in wanted}
            assert time.monotonic() < until, f"never happened: {missing}; but {sorted(found)}"
            time.sleep(1)


def stripes_own_key() -> str:
    """The key of an account of Stripe's in test mode; skips the test where there is none."""
    key = os.environ.get(_VARIABLE)
    if not key:
        pytest.skip(f"{_VARIABLE} is not set: the flows of Stripe ran on the fake alone")
    if not key.startswith(_TEST_KEYS):
        pytest.fail(
            f"{_VARIABLE} is no test key: only sk_test_… and rk_test_… are taken here",
            pytrace=False,
        )
    return _Key(key)


_STRIPE = pytest.param("stripe", marks=pytest.mark.stripe_test_mode)


@pytest.fixture(params=["fake", _STRIPE] if os.environ.get(_VARIABLE) else ["fake"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """The fake always, and Stripe where STRIPE_TEST_KEY is set; our gateway asks it too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("STRIPE_API_BASE", raising=False)
        patch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/not_used")
        addresses: Any = {}
        if request.param == "fake":
            running: Running = request.getfixturevalue("fake")
            patch.setenv("STRIPE_API_BASE", running.url)
            key, addresses = STRIPE_KEY, {"api": running.url}
        else:
            key = stripes_own_key()
        _forget()
        http = stripe.RequestsClient(timeout=30)
        client = stripe.StripeClient(
            key, base_addresses=addresses, max_network_retries=2, http_client=http
        )
        yield Backend(key, client, datetime.now(UTC))
        http.close()  # type: ignore[no-untyped-call]
    _forget()


def _forget() -> None:
    """Have the program read its settings anew, and ask nobody whom it asked before."""
    config.cache_clear()
    gateway._client.cache_clear()  # noqa: SLF001  made for another address
