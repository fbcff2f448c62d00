"""What staff see of webhooks."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.paging import PageQuery
from chalicelib.core.schemas import Schema

_State = Literal["pending", "processed", "ignored", "failed"]
_Type = Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,100}$", examples=["charge.refunded"])]


class WebhookEventQuery(PageQuery):
    """Which events; what is left out does not narrow."""

    state: _State | None = None
    type: _Type | None = None


class WebhookEvent(Schema):
    """What a provider told us, and what became of it; never what it says of a person."""

    id: UUID
    gateway: Literal["stripe"]
    event_id: str
    type: str
    object_id: str | None
    state: _State
    attempts: int
    next_attempt_at: datetime | None
    error: str | None
    processed_at: datetime | None
    created_at: datetime
