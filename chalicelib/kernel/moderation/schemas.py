"""What comes in and goes out of the moderation operations."""

from datetime import datetime
from uuid import UUID

from chalicelib.core.schemas import Schema


class Block(Schema):
    """Somebody the caller blocked."""

    user_id: UUID
    created_at: datetime
