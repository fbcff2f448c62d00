"""What comes in when money is given back."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.core.schemas import Schema


class RefundCreate(Schema):
    """How much to give back, in minor units of the payment's currency; all that is left if unsaid."""

    amount: Annotated[int, Field(ge=1, le=100_000_000, examples=[900])] | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] = "requested_by_customer"
