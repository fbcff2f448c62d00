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
    list[Interest], Field(min_length=1, max_length=10), AfterValidator(_different)
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


class PostCreate(Schema):
    """A new post."""

    user_type: UserType
    platform: Platform
    followers: Followers
    interests: Interests
    price_point: PricePoint
    description: Annotated[
        str, Field(min_length=1, max_length=2000, examples=["Street fashion from São Paulo."])
    ]
    contact_info: Annotated[Contact, AfterValidator(_some_way)]


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
    status: Literal["active", "archived", "removed"]
    created_at: datetime
    updated_at: datetime


class PostQuery(PageQuery):
    """Which posts; what is left out does not narrow."""

    user_type: UserType | None = None
    platform: Platform | None = None
    price_point: PricePoint | None = None
    min_followers: QueryFollowers | None = None
    max_followers: QueryFollowers | None = None
    interest: Annotated[
        list[Interest] | None, Field(max_length=10, description="Any of these; may be repeated.")
    ] = None


class RevealedContact(Schema):
    """Who is behind a post, as it was when it was revealed."""

    post_id: UUID
    contact_info: Contact
    revealed_via: Literal["credit", "payment", "subscription"]
    revealed_at: datetime


class Reveal(Schema):
    """A post whose contact one has revealed."""

    post_id: UUID
    user_type: UserType
    platform: Platform
    description: str
    revealed_via: Literal["credit", "payment", "subscription"]
    revealed_at: datetime
