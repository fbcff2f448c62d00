"""What happens to accounts that others want to know."""

from dataclasses import dataclass
from uuid import UUID

from chalicelib.core.outbox import Event


@dataclass(frozen=True)
class VerificationRequested(Event):
    """Somebody signed up, or asked again for the mail that verifies an address."""

    topic = "accounts.verification_requested"
    urgent = True
    user_id: UUID


@dataclass(frozen=True)
class KnownAddressSignedUp(Event):
    """Somebody tried to sign up with the address of an account that exists."""

    topic = "accounts.known_address_signed_up"
    urgent = True
    user_id: UUID


@dataclass(frozen=True)
class EmailVerified(Event):
    """An address was shown to belong to its account."""

    topic = "accounts.email_verified"
    user_id: UUID


@dataclass(frozen=True)
class NothingToMail(Event):
    """Somebody asked for a mail that nobody is to get.

    Who asks must not learn so from the time the answer takes: this costs what a mail's event does,
    down to an id, which is nobody's.
    """

    topic = "accounts.nothing_to_mail"
    urgent = True
    nobody: UUID


@dataclass(frozen=True)
class PasswordResetRequested(Event):
    """Somebody asked for the mail that lets a password be set anew."""

    topic = "accounts.password_reset_requested"
    urgent = True
    user_id: UUID


@dataclass(frozen=True)
class PasswordChanged(Event):
    """A password was set, by its owner or with a mailed token; other sessions have ended."""

    topic = "accounts.password_changed"
    urgent = True
    user_id: UUID


@dataclass(frozen=True)
class EmailChangeRequested(Event):
    """Somebody asked for another address to be their account's."""

    topic = "accounts.email_change_requested"
    urgent = True
    user_id: UUID


@dataclass(frozen=True)
class UserBanned(Event):
    """Staff shut somebody out; every session has ended."""

    topic = "accounts.user_banned"
    user_id: UUID


@dataclass(frozen=True)
class UserUnbanned(Event):
    """Staff let somebody in again."""

    topic = "accounts.user_unbanned"
    user_id: UUID


@dataclass(frozen=True)
class UserErased(Event):
    """Somebody is gone: their row is empty, and what was tagged as theirs with it."""

    topic = "accounts.user_erased"
    user_id: UUID
