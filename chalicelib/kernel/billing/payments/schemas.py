"""What staff see of payments."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.money import Money
from chalicelib.core.paging import PageQuery
from chalicelib.core.schemas import Schema
from chalicelib.kernel.billing.schemas import CheckoutState, Code, PaymentState, Product

RefundState = Literal["ordered", "pending", "succeeded", "failed"]
DisputeState = Literal["inquiry", "open", "won", "lost"]


class StaffPaymentQuery(PageQuery):
    """Which payments; what is left out does not narrow."""

    user_id: UUID | None = None
    kind: Code | None = None
    state: PaymentState | None = None


class StaffCheckoutQuery(PageQuery):
    """Which checkouts; what is left out does not narrow."""

    user_id: UUID | None = None
    purpose: Code | None = None
    state: CheckoutState | None = None


class StaffFailureQuery(PageQuery):
    """Whose declined payments."""

    user_id: UUID | None = None


class StaffDisputeQuery(PageQuery):
    """Which disputes."""

    state: DisputeState | None = None


class StaffPayment(Schema):
    """Money that was paid, and by whom; `external_id` is the provider's."""

    id: UUID
    product: Product
    kind: Code
    user_id: UUID
    checkout_id: UUID
    total: Money
    refunded: Money
    method: Literal["card", "pix"]
    state: PaymentState
    external_id: str
    paid_at: datetime


class Refund(Schema):
    """Money given back; without an actor it was ordered at the provider."""

    id: UUID
    payment_id: UUID
    total: Money
    reason: str
    state: RefundState = Field(
        description="`ordered` until the provider has heard of it, then as the provider says."
    )
    actor_id: UUID | None
    external_id: str | None
    created_at: datetime


class Dispute(Schema):
    """A payer's bank asks for the money back; at an inquiry it has not taken it yet."""

    id: UUID
    payment_id: UUID
    total: Money
    reason: str
    state: DisputeState
    external_id: str
    created_at: datetime


class StaffPaymentDetail(StaffPayment):
    """A payment with everything that went back of it."""

    refunds: list[Refund]
    disputes: list[Dispute]


class StaffCheckout(Schema):
    """Something that somebody began to buy."""

    id: UUID
    product: Product
    purpose: Code
    subject_id: UUID | None
    user_id: UUID
    state: CheckoutState
    total: Money
    external_id: str | None
    expires_at: datetime
    paid_at: datetime | None
    created_at: datetime
