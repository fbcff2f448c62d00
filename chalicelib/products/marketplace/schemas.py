"""What comes in and goes out of the marketplace."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from chalicelib.core.paging import PageQuery
from chalicelib.core.schemas import Schema, digits
from chalicelib.kernel.accounts.schemas import Email

UserType = Literal["influencer", "brand"]
Platform = Literal["instagram", "tiktok", "youtube", "x", "twitch", "blog", "other"]
PricePoint = Literal["low", "medium", "high", "luxury"]
PostStatus = Literal["active", "archived", "removed"]
RevealedVia = Literal["credit", "payment", "subscription"]
Followers = Annotated[int, Field(ge=0, le=2_000_000_000, examples=[12_000])]
QueryFollowers = Annotated[
    int, Field(ge=0, le=2_000_000_000, examples=[5_000]), BeforeValidator(digits)
]
Interest = Annotated[
    str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9][a-z0-9 &-]*$", examples=["fashion"])
]


def _different(interests: list[str]) -> list[str]:
    if len(set(interests)) < len(interests):
        raise ValueError("each interest once")
    return interests


Interests = Annotated[
    list[Interest],
    Field(min_length=1, max_length=10, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_different),
]


class Contact(Schema):
    """How to reach the author; at least one way."""

    email: Email | None = None
    phone: Annotated[
        str | None, Field(pattern=r"^\+[1-9][0-9]{6,14}$", examples=["+5511987654321"])
    ] = None
    handle: Annotated[str | None, Field(min_length=1, max_length=80, examples=["@ana"])] = None


def _some_way(contact: Contact) -> Contact:
    if not (contact.email or contact.phone or contact.handle):
        raise ValueError("an e-mail address, a phone number or a handle")
    return contact


Description = Annotated[
    str, Field(min_length=1, max_length=2000, examples=["Street fashion from São Paulo."])
]
SomeContact = Annotated[Contact, AfterValidator(_some_way)]


class PostCreate(Schema):
    """A new post."""

    user_type: UserType
    platform: Platform
    followers: Followers
    interests: Interests
    price_point: PricePoint
    description: Description
    contact_info: SomeContact


class PostUpdate(Schema):
    """What changes of a post; what is left out, or null, stays as it is."""

    user_type: UserType | None = None
    platform: Platform | None = None
    followers: Followers | None = None
    interests: Interests | None = None
    price_point: PricePoint | None = None
    description: Description | None = None
    contact_info: SomeContact | None = None


class Post(Schema):
    """A post as anybody sees it: without whom to write to."""

    id: UUID
    user_id: UUID
    user_type: UserType
    platform: Platform
    followers: int
    interests: list[str]
    price_point: PricePoint
    description: str
    verified: bool = Field(description="Whether a brand has shown that a domain is its own.")
    status: PostStatus
    created_at: datetime
    updated_at: datetime


class PostQuery(PageQuery):
    """Which posts, in which order; what is left out does not narrow."""

    user_type: UserType | None = None
    platform: Platform | None = None
    price_point: PricePoint | None = None
    min_followers: QueryFollowers | None = None
    max_followers: QueryFollowers | None = None
    interest: Annotated[
        list[Interest] | None, Field(max_length=10, description="Any of these; may be repeated.")
    ] = None
    every_interest: Annotated[
        list[Interest] | None, Field(max_length=10, description="All of these; may be repeated.")
    ] = None
    text: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=100,
            description="Words that all stand in the description or among the interests.",
            examples=["street fashion"],
        ),
    ] = None
    verified: bool = Field(False, description="Only posts of brands that showed their domain.")
    sort: Literal["newest", "most_followers"] = "newest"


class RevealedContact(Schema):
    """Who is behind a post, as it was when it was revealed."""

    post_id: UUID
    contact_info: Contact
    revealed_via: RevealedVia
    revealed_at: datetime


class Reveal(Schema):
    """A post whose contact one has revealed."""

    post_id: UUID
    user_type: UserType
    platform: Platform
    description: str
    revealed_via: RevealedVia
    revealed_at: datetime
    claimed_back_at: datetime | None


class PostReveal(Schema):
    """That somebody revealed one's post; who, unless they have left or one of you blocked the other."""

    revealed_at: datetime
    claimed_back_at: datetime | None
    requester_id: UUID | None
    requester_name: str | None


class StaleClaim(Schema):
    """A contact that led nowhere: what it cost was returned, and it is not shown again."""

    post_id: UUID
    claimed_back_at: datetime
    credits_returned: int
