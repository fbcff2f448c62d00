"""What is given back when something happened elsewhere."""

from chalicelib.core.db import Connection
from chalicelib.core.outbox import subscribe
from chalicelib.kernel.accounts.events import UserErased
from chalicelib.kernel.billing.events import PaymentDisputed, PaymentRefunded, PaymentRestored
from chalicelib.products.marketplace.claims import service


@subscribe(UserErased)
def give_back_reveals(unit: Connection, event: UserErased) -> None:
    """Return what was paid lately for the contacts of somebody who is gone."""
    service.give_back_all_of(unit, event.user_id)


@subscribe(PaymentRefunded)
def withdraw_refunded(unit: Connection, event: PaymentRefunded) -> None:
    """Hide a contact whose payment went back."""
    service.settle_paid(unit, event.checkout_id)


@subscribe(PaymentDisputed)
def withdraw_disputed(unit: Connection, event: PaymentDisputed) -> None:
    """Hide a contact whose payment the bank took back."""
    service.settle_paid(unit, event.checkout_id)


@subscribe(PaymentRestored)
def show_restored(unit: Connection, event: PaymentRestored) -> None:
    """Show a contact again whose payment came back."""
    service.settle_paid(unit, event.checkout_id)
