"""The base of every body that comes in and every answer that goes out."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

MAX_INTEGER_DIGITS = 18


class Schema(BaseModel):
    """Strict, frozen, and closed: no coercion, no unknown field.

    Validators are built at a schema's first use: a Lambda of its own uses two of a hundred.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Empty(Schema):
    """A body with nothing in it: `{}`."""


def digits(value: object) -> object:
    """Refuse what int() would take but nobody means: `1_000`, ` 7 `, `1.0`, `+1`, `٣`."""
    if isinstance(value, str):
        bare = value.removeprefix("-")
        if not (bare.isascii() and bare.isdecimal() and len(bare) <= MAX_INTEGER_DIGITS):
            raise ValueError("a whole number in plain digits")
        return int(value)
    return value


# The bounds come before the validator, or the JSON schema would not know them.
Limit = Annotated[
    int,
    Field(ge=1, le=50, description="How many items a page holds.", examples=[20]),
    BeforeValidator(digits),
]
