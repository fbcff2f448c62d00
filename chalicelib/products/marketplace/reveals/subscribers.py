"""What reveals do when something was paid."""

from chalicelib.core.db import Connection
from chalicelib.core.outbox import subscribe
from chalicelib.kernel.billing.events import CheckoutPaid
from chalicelib.products.marketplace.reveals import service


@subscribe(CheckoutPaid)
def reveal_paid(unit: Connection, event: CheckoutPaid) -> None:
    """Hand over a single reveal."""
    service.reveal_paid(unit, event.checkout_id)
