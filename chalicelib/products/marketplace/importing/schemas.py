"""The rows of the old in-memory store, each as strict as what comes in over HTTPS."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field
from pydantic.alias_generators import to_camel

from chalicelib.core.money import Currency
from chalicelib.core.schemas import Schema
from chalicelib.kernel.accounts.schemas import Email
from chalicelib.products.marketplace.schemas import (
    Description,
    Followers,
    Interests,
    Platform,
    PricePoint,
    SomeContact,
    UserType,
)

OldId = Annotated[str, Field(min_length=1, max_length=100)]
PaymentId = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,255}$")]
Amount = Annotated[int, Field(gt=0, lt=2**53)]
Credits = Annotated[int, Field(gt=0, le=1_000_000)]


class OldRow(Schema):
    """A row as JavaScript wrote it."""

    model_config = ConfigDict(alias_generator=to_camel)


class OldUser(OldRow):
    """Of `registeredUsers`."""

    email: Email
    password_hash: Annotated[str, Field(pattern=r"^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$")]
    name: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    verified: bool
    created_at: AwareDatetime


class SamplePost(OldRow):
    """Of `samplePosts`: shown before there was anybody to write one."""

    id: OldId
    user_type: UserType
    platform: Platform
    followers: Followers
    interests: Interests
    price_point: PricePoint
    description: Description
    contact_info: SomeContact
    created_at: AwareDatetime


class OldPost(SamplePost):
    """Of `posts`."""

    user_email: Email
    active: bool = True


class OldToken(OldRow):
    """Of `verificationTokens`."""

    user_email: Email
    token: Annotated[str, Field(min_length=20, max_length=200)]
    expires_at: AwareDatetime
    created_at: AwareDatetime


class PaidUser(OldRow):
    """Of `paidUsers`: somebody paid the posting fee."""

    user_email: Email
    amount: Amount
    currency: Currency
    stripe_session_id: PaymentId
    paid_at: AwareDatetime


class BulkSession(OldRow):
    """Of `bulkContactSessions`: a pack of contacts, paid or on its way."""

    user_email: Email
    credits: Credits
    amount: Amount
    currency: Currency
    status: Literal["completed", "pending", "expired"]
    stripe_session_id: PaymentId
    paid_at: AwareDatetime | None = None


class OldReveal(OldRow):
    """Of `contactReveals`."""

    requester_email: Email
    target_post_id: OldId
    revealed_via: Literal["credit", "payment"]
    revealed_at: AwareDatetime
    amount: Amount | None = None
    currency: Currency | None = None
    stripe_session_id: PaymentId | None = None


class OldPrice(OldRow):
    """Of `prices`: the fee, or a pack with its credits."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")]
    name: Annotated[str, Field(min_length=1, max_length=80)]
    amount: Amount
    currency: Currency
    credits: Credits | None = None


@dataclass
class Report:
    """What became of each collection's rows, and why some were refused."""

    added: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)

    def count(self, collection: str, outcome: str) -> None:
        """Note what became of a row."""
        told = self.added if outcome == "added" else self.known
        told[collection] = told.get(collection, 0) + 1
