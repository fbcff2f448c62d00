"""What comes in and goes out of showing that a domain is one's own."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.schemas import Schema

Domain = Annotated[str, Field(min_length=1, max_length=253, examples=["ana-brand.com"])]


class DomainVerificationCreate(Schema):
    """A domain that is to be shown to be one's own: `ana-brand.com`, without `https://`."""

    domain: Domain


class DomainVerification(Schema):
    """A domain, what to put up there, and whether it was seen.

    Either a TXT record `record_name` or a file at `file_url` holds `proof`.
    """

    id: UUID
    domain: str
    status: Literal["pending", "verified", "failed", "lapsed"]
    method: Literal["dns", "well_known"] | None
    record_name: str
    file_url: str
    proof: str
    verified_at: datetime | None
    checked_at: datetime | None
    created_at: datetime
