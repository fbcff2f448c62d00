"""What happens in the marketplace that others want to know, and what people are told of it."""

from dataclasses import dataclass
from uuid import UUID

from chalicelib.core.outbox import Event
from chalicelib.kernel.notifications.events import notice


@dataclass(frozen=True)
class ContactRevealed(Event):
    """Somebody paid to see who is behind a post."""

    topic = "marketplace.contact_revealed"
    post_id: UUID
    requester_id: UUID


@dataclass(frozen=True)
class DomainCheckDue(Event):
    """Whether a domain still shows its code is to be looked at."""

    topic = "marketplace.domain_check_due"
    verification_id: UUID


@dataclass(frozen=True)
class DomainCheckRequested(Event):
    """Somebody has put a domain's code up and waits for it to be seen."""

    topic = "marketplace.domain_check_requested"
    urgent = True
    verification_id: UUID


CONTACT_REVEALED = notice(
    "marketplace.contact_revealed",
    "Somebody revealed the contact of your post",
    __file__,
    channels=("in_app",),
    priority="low",
)
CONTACT_CLAIMED_BACK = notice(
    "marketplace.contact_claimed_back",
    "Somebody could not reach you by your post's contact",
    __file__,
)
REVEAL_CREDITED = notice(
    "marketplace.reveal_credited",
    "A contact you paid for could not be revealed; you got a credit instead",
    __file__,
)
POST_REMOVED = notice(
    "marketplace.post_removed",
    "Staff removed a post of yours",
    __file__,
    optional=False,
    priority="high",
)
DOMAIN_VERIFIED = notice(
    "marketplace.domain_verified", "A domain is shown to be yours", __file__, channels=("in_app",)
)
DOMAIN_LAPSED = notice("marketplace.domain_lapsed", "A domain no longer shows its code", __file__)
