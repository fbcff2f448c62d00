"""What comes in and goes out about payment gateways. Secrets only come in."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.schemas import Schema

_Secret = Annotated[
    str, Field(min_length=8, max_length=255, pattern=r"^[\x21-\x7e]+$", examples=["sk_live_secret"])
]
_PublicKey = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]


class PaymentGateway(Schema):
    """An account with a provider that takes payments."""

    id: UUID
    name: str
    kind: Literal["stripe"]
    public_key: str | None
    is_active: bool
    created_at: datetime
    updated_at: datetime


class PaymentGatewayCreate(Schema):
    """A new account; one that is active takes the place of the one before."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$", examples=["stripe_brazil"])]
    kind: Literal["stripe"] = "stripe"
    public_key: _PublicKey | None = None
    secret: _Secret
    webhook_secret: _Secret
    is_active: bool = False


class PaymentGatewayChange(Schema):
    """What is to change; what is left out stays."""

    public_key: _PublicKey | None = None
    secret: _Secret | None = None
    webhook_secret: _Secret | None = None
    is_active: bool | None = None
