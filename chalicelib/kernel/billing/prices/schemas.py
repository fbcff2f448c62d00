"""What comes in and goes out when the catalogue is changed."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from chalicelib.core.money import Currency, Money
from chalicelib.core.schemas import Schema
from chalicelib.kernel.billing.schemas import Code, CreditUnit, Price

_Name = Annotated[str, Field(min_length=1, max_length=120, examples=["10 contacts"])]
_CreditAmount = Annotated[int, Field(ge=1, le=1_000_000)]
_SortOrder = Annotated[int, Field(ge=0, le=1_000_000)]


class Amount(Schema):
    """What something costs: more than nothing, and ten of it no more than Stripe takes at once."""

    amount: Annotated[int, Field(ge=1, le=9_999_999, examples=[900])]
    currency: Currency


class StaffPrice(Price):
    """Something for sale, or archived."""

    price: Money
    sort_order: int
    is_active: bool
    created_at: datetime
    updated_at: datetime


class PriceCreate(Schema):
    """Something new for sale. A pack holds credits; a fee may be paid for something."""

    code: Code
    kind: Literal["fee", "pack"]
    name: _Name
    price: Amount
    credit_unit: CreditUnit | None = None
    credit_amount: _CreditAmount | None = None
    takes_subject: bool = False
    sort_order: _SortOrder = 0


class PriceChange(Schema):
    """What is to change; what is left out stays. Open checkouts keep the price they began with."""

    name: _Name | None = None
    price: Amount | None = None
    credit_amount: _CreditAmount | None = None
    sort_order: _SortOrder | None = None
    is_active: Annotated[
        bool | None, Field(description="False archives it, true sells it again.")
    ] = None
