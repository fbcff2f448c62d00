"""What is done about webhooks."""

from chalicelib.core.db import Transactions
from chalicelib.core.outbox import subscribe
from chalicelib.kernel.billing.events import WebhookReceived
from chalicelib.kernel.billing.webhooks import service


@subscribe(WebhookReceived, queue="webhooks", calls=True)
def apply_webhook(transactions: Transactions, event: WebhookReceived) -> None:
    """Apply a stored event."""
    service.process(transactions, event.webhook_id)
