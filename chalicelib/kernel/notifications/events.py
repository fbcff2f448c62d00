"""What happens to notifications."""

from dataclasses import dataclass
from uuid import UUID

from chalicelib.core.outbox import Event


@dataclass(frozen=True)
class MailQueued(Event):
    """A mail is to be sent."""

    topic = "notifications.mail_queued"
    urgent = True
    mail_id: UUID
