"""Every statement on what has to be taken back of a payment."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    or_,
    select,
    update,
)

from chalicelib.core.statements import command, statement
from chalicelib.kernel.billing.gateways.queries import secret_of
from chalicelib.kernel.billing.refunds.tables import disputes, refunds
from chalicelib.kernel.billing.tables import checkouts, payments

_PAYMENT = bindparam("payment_id", type_=Uuid)

_held = (
    select(
        payments.c.id,
        payments.c.checkout_id,
        payments.c.product,
        payments.c.amount,
        payments.c.state,
        payments.c.external_id,
        checkouts.c.gateway_id,
        secret_of(checkouts.c.gateway_id),
    )
    .join(checkouts, checkouts.c.id == payments.c.checkout_id)
    .with_for_update(of=payments)
)
HOLD = statement(
    _held.where(
        payments.c.gateway == "stripe",
        payments.c.external_id == bindparam("external_id", type_=Text),
    )
)
HOLD_OF_PRODUCT = statement(
    _held.where(payments.c.id == _PAYMENT, payments.c.product == bindparam("product", type_=Text))
)


def _sum_of(source: Any, *states: str) -> ColumnElement[int]:
    among = or_(*(source.c.state == state for state in states))
    found = select(func.sum(source.c.amount)).where(source.c.payment_id == _PAYMENT, among)
    return cast(func.coalesce(found.scalar_subquery(), 0), BigInteger)


RETURNED = statement(
    select(
        _sum_of(refunds, "pending", "succeeded"),
        _sum_of(disputes, "open", "lost"),
        _sum_of(refunds, "ordered", "pending", "succeeded"),
    )
)
SET_STATE = command(
    update(payments)
    .where(payments.c.id == _PAYMENT)
    .values(state=bindparam("new_state", type_=Text))
)
