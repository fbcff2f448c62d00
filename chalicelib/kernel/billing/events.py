"""What happens in billing that others want to know."""

from dataclasses import dataclass
from uuid import UUID

from chalicelib.core.outbox import Event


@dataclass(frozen=True)
class WebhookReceived(Event):
    """A provider told us something; it is stored and waits to be applied."""

    topic = "billing.webhook_received"
    urgent = True
    webhook_id: UUID


@dataclass(frozen=True)
class CheckoutPaid(Event):
    """A checkout was paid. Whoever sold it hands it over."""

    topic = "billing.checkout_paid"
    urgent = True
    checkout_id: UUID
