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
CheckoutState = Literal["open", "paid", "expired"]
PaymentState = Literal["succeeded", "partially_refunded", "refunded", "disputed"]


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
    takes_subject: bool = Field(description="Whether it is bought for something: `subject_id`.")


class CheckoutCreate(Schema):
    """What to buy."""

    product: Product
    code: Code
    quantity: Annotated[int, Field(ge=1, le=10)] = 1
    subject_id: UUID | None = Field(
        None, description="What it is bought for, where the price takes a subject: a post."
    )


class Checkout(Schema):
    """Something on its way to being bought; it is paid on the provider's page at `url`."""

    id: UUID
    product: Product
    purpose: Code
    subject_id: UUID | None
    state: CheckoutState
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
    state: PaymentState
    paid_at: datetime


class CreditQuery(Schema):
    """Which kind of credits."""

    unit: CreditUnit = "contact"


class Credits(Schema):
    """A balance, and what made it: `total` came in and stayed, `used` went out."""

    unit: CreditUnit
    total: int
    used: int
    remaining: int = Field(
        description="Below zero it is a debt: credits that were spent and then refunded. What is"
        " bought next repays it first, and until then nothing can be spent."
    )


class CreditTransferQuery(PageQuery):
    """Which kind of credits."""

    unit: CreditUnit = "contact"


class CreditTransfer(Schema):
    """Credits that moved; `amount` is negative where they left the wallet."""

    id: UUID
    unit: CreditUnit
    amount: int
    reason: Literal[
        "purchase", "grant", "spend", "give_back", "take_back", "restore", "debt", "repayment"
    ]
    payment_id: UUID | None
    reverses: UUID | None = Field(description="The transfer that this one takes back.")
    created_at: datetime


class CreditGrant(Schema):
    """Credits that staff give to somebody."""

    user_id: UUID
    unit: CreditUnit = "contact"
    amount: Annotated[int, Field(ge=1, le=10_000)]


class FailedTransaction(Schema):
    """A payment that was tried and declined; `code` is the provider's reason."""

    id: UUID
    checkout_id: UUID | None
    product: Product | None
    purpose: Code | None
    code: str
    failed_at: datetime


class Received(Schema):
    """The provider need not send this again."""

    status: Literal["received"] = "received"
