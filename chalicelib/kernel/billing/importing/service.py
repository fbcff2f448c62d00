"""Taking over prices and payments from somewhere else. All of it may be repeated."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from chalicelib.core import clock
from chalicelib.core.db import Connection
from chalicelib.kernel.billing.importing import queries
from chalicelib.kernel.billing.ledger import service as ledger

Outcome = Literal["added", "known", "taken", "not_for_sale"]


def import_price(
    unit: Connection,
    price_id: UUID,
    product: str,
    code: str,
    *,
    name: str,
    amount: int,
    currency: str,
    credit_amount: int | None,
    sort_order: int,
    is_active: bool = True,
) -> Outcome:
    """A fee, or a pack of contact credits, as it was sold; `taken` by something of another kind."""
    named = {"product": product, "code": code, "credits": credit_amount}
    row = unit.one(
        queries.PUT_PRICE,
        price_id=price_id,
        name=name,
        amount=amount,
        currency=currency,
        sort_order=sort_order,
        is_active=is_active,
        now=clock.now(),
        **named,
    )
    if row is not None:
        return "added"
    return "known" if unit.one(queries.SAME_KIND, **named) == (True,) else "taken"


def import_payment(
    unit: Connection,
    checkout_id: UUID,
    user_id: UUID,
    product: str,
    code: str,
    *,
    line_id: UUID,
    payment_id: UUID,
    amount: int,
    currency: str,
    external_id: str,
    paid_at: datetime,
    credit_amount: int | None = None,
    subject_id: UUID | None = None,
) -> Outcome:
    """A checkout that was paid elsewhere, with its line, payment and credits.

    `taken` when the provider's id is another checkout's, `not_for_sale` for an unknown code.
    """
    row = unit.one(
        queries.ADD_PAYMENT,
        checkout_id=checkout_id,
        user_id=user_id,
        product=product,
        code=code,
        line_id=line_id,
        payment_id=payment_id,
        amount=amount,
        currency=currency,
        external_id=external_id,
        paid_at=paid_at,
        credits=credit_amount,
        subject_id=subject_id,
    )
    added, known, for_sale = row or (False, False, False)
    if not added:
        if known:
            return "known"
        return "taken" if for_sale else "not_for_sale"
    if credit_amount is not None:
        ledger.grant(
            unit,
            user_id,
            "contact",
            credit_amount,
            key=f"checkout_line:{line_id}",
            reason="purchase",
            payment_id=payment_id,
        )
    return "added"
