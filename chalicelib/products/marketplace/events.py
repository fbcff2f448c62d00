"""What happens in the marketplace that others want to know."""

from dataclasses import dataclass
from uuid import UUID

from chalicelib.core.outbox import Event


@dataclass(frozen=True)
class ContactRevealed(Event):
    """Somebody paid to see who is behind a post."""

    topic = "marketplace.contact_revealed"
    post_id: UUID
    requester_id: UUID
