"""What comes in and goes out of the notifications operations."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.paging import PageQuery
from chalicelib.core.schemas import Schema

Product = Annotated[str, Field(pattern=r"^[a-z]{1,40}$", examples=["marketplace"])]
Channel = Literal["in_app", "mail"]
Priority = Literal["low", "normal", "high"]
Kind = Annotated[
    str, Field(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,60}$", examples=["moderation.warned"])
]


class NotificationQuery(PageQuery):
    """Which notifications; what is left out does not narrow."""

    product: Product | None = None
    unread: bool | None = Field(None, description="Only what was not read, or only what was.")


class Notification(Schema):
    """Something the caller was told."""

    id: UUID
    product: Product
    kind: Kind
    priority: Priority
    subject_kind: str | None
    subject_id: UUID | None
    title: str
    body: str
    read_at: datetime | None
    created_at: datetime


class Unread(Schema):
    """How many notifications the caller has not read."""

    unread: int


class ReadAll(Schema):
    """How many notifications are read now that were not."""

    read: int


class ChannelPreference(Schema):
    """Whether the caller is told by this channel."""

    channel: Channel
    enabled: bool


class Preference(Schema):
    """A kind of thing the caller may be told, and by which channels they are."""

    kind: Kind
    description: str
    optional: bool = Field(description="Whether it can be switched off.")
    channels: list[ChannelPreference]


class Wish(Schema):
    """Whether to be told of a kind of thing by a channel."""

    enabled: bool


class Unsubscribed(Schema):
    """No more mail of this kind."""

    status: Literal["unsubscribed"] = "unsubscribed"
    kind: Kind
