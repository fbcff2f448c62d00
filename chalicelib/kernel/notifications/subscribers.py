"""Whom notifications write to when something happened."""

from chalicelib.core.db import Connection, Transactions
from chalicelib.core.outbox import subscribe
from chalicelib.kernel.accounts.events import KnownAddressSignedUp, VerificationRequested
from chalicelib.kernel.notifications import service
from chalicelib.kernel.notifications.events import MailQueued


@subscribe(VerificationRequested)
def mail_verification(db: Connection, event: VerificationRequested) -> None:
    """Mail the link that verifies the address."""
    service.queue_mail(db, event.user_id, "verify_email")


@subscribe(KnownAddressSignedUp)
def mail_known_address(db: Connection, event: KnownAddressSignedUp) -> None:
    """Tell the account's owner that somebody tried to sign up with it."""
    service.queue_mail(db, event.user_id, "known_address")


@subscribe(MailQueued, calls=True)
def send_mail(transactions: Transactions, event: MailQueued) -> None:
    """Send a queued mail."""
    service.send_mail(transactions, event.mail_id)
