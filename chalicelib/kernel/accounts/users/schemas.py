"""What comes in and goes out of the operations that staff have on people."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.paging import PageQuery
from chalicelib.core.schemas import Schema
from chalicelib.kernel.accounts.schemas import Email, Locale

BanReason = Literal[
    "spam", "fraud", "harassment", "impersonation", "illegal_content", "underage", "other"
]


class AccountQuery(PageQuery):
    """Which accounts; the address and the id are matched exactly."""

    email: Email | None = None
    user_id: UUID | None = None


class StandingBan(Schema):
    """Why and since when somebody is shut out."""

    reason: BanReason
    created_at: datetime


class Account(Schema):
    """An account as staff see it."""

    id: UUID
    email: str | None
    email_verified: bool
    name: str | None
    status: Literal["active", "banned", "erased"]
    locale: Locale
    time_zone: str
    created_at: datetime
    last_active_at: datetime | None
    erased_at: datetime | None
    roles: list[str] = Field(description="`product:role` for each staff role.")
    ban: StandingBan | None


class Ban(Schema):
    """Why somebody is to be shut out."""

    reason: BanReason
