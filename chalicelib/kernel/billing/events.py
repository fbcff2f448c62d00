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


@dataclass(frozen=True)
class PaymentRefunded(Event):
    """Money of a payment went back, all or in part; credits it bought are taken back already.

    Whoever sold something else asks `checkouts.service.paid_checkout` whether the payment still
    stands, and takes back what was handed over if it does not.
    """

    topic = "billing.payment_refunded"
    urgent = True
    payment_id: UUID
    checkout_id: UUID


@dataclass(frozen=True)
class PaymentDisputed(Event):
    """A payer's bank took the money back, for now or for good; see PaymentRefunded."""

    topic = "billing.payment_disputed"
    urgent = True
    payment_id: UUID
    checkout_id: UUID


@dataclass(frozen=True)
class PaymentRestored(Event):
    """A refund came back or a dispute was won: the payment may stand again; see PaymentRefunded."""

    topic = "billing.payment_restored"
    urgent = True
    payment_id: UUID
    checkout_id: UUID
