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
