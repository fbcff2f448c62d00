"""Money is integer minor units with an ISO 4217 currency; floats never."""

from typing import Annotated

from pydantic import Field

from chalicelib.core.schemas import Schema

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["USD"])]


class Money(Schema):
    """An amount in minor units (cents, centavos) of one currency."""

    amount: Annotated[int, Field(ge=-(2**63), lt=2**63, examples=[2900])]
    currency: Currency

    def __add__(self, other: "Money") -> "Money":
        """The sum of two amounts of one currency; ValueError on mixed currencies."""
        if self.currency != other.currency:
            raise ValueError("amounts of two currencies can't be added")
        return Money(amount=self.amount + other.amount, currency=self.currency)
