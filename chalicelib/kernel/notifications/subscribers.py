"""Whom notifications write to when something happened."""

from chalicelib.core.db import Connection, Transactions
from chalicelib.core.outbox import subscribe
from chalicelib.kernel.accounts.events import (
    EmailChangeRequested,
    KnownAddressSignedUp,
    NothingToMail,
    PasswordChanged,
    PasswordResetRequested,
    VerificationRequested,
)
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


@subscribe(PasswordResetRequested)
def mail_password_reset(db: Connection, event: PasswordResetRequested) -> None:
    """Mail the link that sets the password anew."""
    service.queue_mail(db, event.user_id, "reset_password")


@subscribe(PasswordChanged)
def mail_password_changed(db: Connection, event: PasswordChanged) -> None:
    """Tell the account's owner that its password is another."""
    service.queue_mail(db, event.user_id, "password_changed")


@subscribe(EmailChangeRequested)
def mail_email_change(db: Connection, event: EmailChangeRequested) -> None:
    """Tell the old address, and have the new one shown to be its owner's."""
    service.queue_mail(db, event.user_id, "email_change_requested")
    service.queue_mail(db, event.user_id, "change_email")


@subscribe(NothingToMail)
def mail_nothing(_db: Connection, _event: NothingToMail) -> None:
    """Hear of it all the same: an event that nobody hears is written and sent in less time."""


@subscribe(MailQueued, calls=True)
def send_mail(transactions: Transactions, event: MailQueued) -> None:
    """Send a queued mail."""
    service.send_mail(transactions, event.mail_id)
