"""What comes in and goes out of the billing operations."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.money import Money
from chalicelib.core.paging import PageQuery
from chalicelib.core.schemas import Schema

Product = Annotated[str, Field(pattern=r"^[a-z]{1,40}$", examples=["marketplace"])]
Code = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$", examples=["posting_fee"])]
CreditUnit = Literal["contact"]


class PriceQuery(PageQuery):
    """Which product's prices."""

    product: Product


class Price(Schema):
    """Something for sale."""

    id: UUID
    product: Product
    code: Code
    kind: Literal["fee", "pack"]
    name: str
    price: Money
    credit_unit: CreditUnit | None
    credit_amount: int | None = Field(description="How many credits a pack holds.")


class CheckoutCreate(Schema):
    """What to buy."""

    product: Product
    code: Code
    quantity: Annotated[int, Field(ge=1, le=10)] = 1


class Checkout(Schema):
    """Something on its way to being bought; it is paid on the provider's page at `url`."""

    id: UUID
    product: Product
    purpose: Code
    state: Literal["open", "paid", "expired"]
    total: Money
    url: str | None
    expires_at: datetime
    paid_at: datetime | None


class Payment(Schema):
    """Money that was paid."""

    id: UUID
    product: Product
    kind: Code
    total: Money
    method: Literal["card", "pix"]
    state: Literal["succeeded", "refunded", "disputed"]
    paid_at: datetime


class CreditQuery(Schema):
    """Which kind of credits."""

    unit: CreditUnit = "contact"


class Credits(Schema):
    """A balance, and what made it: `total` came in, `used` went out."""

    unit: CreditUnit
    total: int
    used: int
    remaining: int


class Received(Schema):
    """The provider need not send this again."""

    status: Literal["received"] = "received"
