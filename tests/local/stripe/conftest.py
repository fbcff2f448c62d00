"""One fake for the whole run, emptied before each test, and stripe-python pointed at it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stripe

from local.stripe.fake import Settings
from local.stripe.receiver import Receiver
from local.stripe.server import Running, serve

SECRET = "whsec_local"


@pytest.fixture(scope="session", autouse=True)
def without_telemetry() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe, "enable_telemetry", False)
        yield


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    state: Path = tmp_path_factory.mktemp("stripe") / "stripe.db"
    with serve(Settings(state=state, durable=False, first_pause=0.01)) as fake:
        yield fake


@pytest.fixture
def fake(running: Running) -> Running:
    """The fake, empty, its clock at real time, with nobody listening to its events."""
    running.set_webhook(None, [])
    running.reset()
    return running


@pytest.fixture
def receiver(fake: Running) -> Iterator[Receiver]:
    """Somebody who listens to the fake's events, signed with `whsec_local`."""
    with Receiver() as listening:
        fake.set_webhook(listening.url, [SECRET])
        yield listening
        fake.set_webhook(None, [])
        fake.set_delivery_mode("drop")


@pytest.fixture
def client(fake: Running) -> Iterator[stripe.StripeClient]:
    http = stripe.RequestsClient()
    yield stripe.StripeClient(
        "sk_test_kith", base_addresses={"api": fake.url}, max_network_retries=0, http_client=http
    )
    http.close()  # type: ignore[no-untyped-call]


NewSession = Callable[..., stripe.checkout.Session]


@pytest.fixture
def new_session(client: stripe.StripeClient) -> NewSession:
    """Make a Checkout Session over 2 x 5.00 reais, payable by card and Pix."""

    def create(**changes: object) -> stripe.checkout.Session:
        parameters = {
            "mode": "payment",
            "line_items": [
                {
                    "price_data": {
                        "currency": "brl",
                        "unit_amount": 500,
                        "product_data": {"name": "Posting fee"},
                    },
                    "quantity": 2,
                }
            ],
            "success_url": "http://shop.test/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://shop.test/back",
            "allowed_payment_method_types": ["card", "pix"],
            "client_reference_id": "order-1",
            "metadata": {"product": "marketplace"},
            "payment_intent_data": {"metadata": {"checkout": "order-1"}},
            **changes,
        }
        return client.v1.checkout.sessions.create(parameters)  # type: ignore[arg-type]

    return create


@pytest.fixture
def happened(client: stripe.StripeClient) -> Callable[[], list[str]]:
    """The types of all events, oldest first, but for those of products and prices."""

    def types() -> list[str]:
        events = client.v1.events.list({"limit": 100}).data
        return [e.type for e in events[::-1] if not e.type.startswith(("product.", "price."))]

    return types
