"""Every statement that reads payments, for their owners and for staff."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Text,
    Uuid,
    bindparam,
    func,
    literal,
    or_,
    select,
)

from chalicelib.core.paging import Narrowed, PagedStatement, each
from chalicelib.core.statements import json_object
from chalicelib.kernel.billing.refunds.tables import disputes, refunds
from chalicelib.kernel.billing.tables import checkouts, failed_transactions, payments

_USER = bindparam("user_id", type_=Uuid)
_PRODUCT = bindparam("product", type_=Text)

STANDS = or_(payments.c.state == "succeeded", payments.c.state == "partially_refunded")


def has_paid(
    user_id: ColumnElement[Any], product: str, kind: str, since: ColumnElement[datetime]
) -> ColumnElement[bool]:
    """Whether a user paid for something of this kind since then, and the payment stands.

    It does until all of it was given back, and not while or after a bank asks for it back.
    """
    return (
        select(literal(1))
        .where(
            payments.c.user_id == user_id,
            payments.c.paid_at > since,
            payments.c.product == product,
            payments.c.kind == kind,
            STANDS,
        )
        .exists()
    )


def money(amount: ColumnElement[int], currency: ColumnElement[str]) -> ColumnElement[Any]:
    """An amount as answers show it."""
    return func.json_build_object("amount", amount, "currency", currency)


PAYMENTS = PagedStatement(
    select(
        payments.c.id,
        payments.c.product,
        payments.c.kind,
        money(payments.c.amount, payments.c.currency).label("total"),
        payments.c.method,
        payments.c.state,
        payments.c.paid_at,
    ).where(payments.c.user_id == _USER),
    payments.c.paid_at,
    payments.c.id,
)


_refunded = func.coalesce(
    select(func.sum(refunds.c.amount))
    .where(
        refunds.c.payment_id == payments.c.id,
        or_(refunds.c.state == "pending", refunds.c.state == "succeeded"),
    )
    .scalar_subquery(),
    0,
)
_staff_columns = (
    payments.c.id,
    payments.c.product,
    payments.c.kind,
    payments.c.user_id,
    payments.c.checkout_id,
    money(payments.c.amount, payments.c.currency).label("total"),
    money(_refunded, payments.c.currency).label("refunded"),
    payments.c.method,
    payments.c.state,
    payments.c.external_id,
    payments.c.paid_at,
)
STAFF_PAYMENTS = Narrowed(
    select(*_staff_columns).where(payments.c.product == _PRODUCT),
    payments.c.paid_at,
    payments.c.id,
    user_id=payments.c.user_id == _USER,
    kind=payments.c.kind,
    state=each(payments.c.state, "succeeded", "partially_refunded", "refunded", "disputed"),
)


def _list_of(source: Any, *columns: ColumnElement[Any]) -> ColumnElement[Any]:
    """The rows of a payment in another table, as a JSON array, oldest first."""
    rows = (
        select(*columns)
        .where(source.c.payment_id == payments.c.id)
        .order_by(source.c.id)
        .correlate(payments)
        .subquery("rows")
    )
    found = select(func.json_agg(rows.table_valued())).scalar_subquery()
    return func.coalesce(found, func.json_build_array())


STAFF_PAYMENT = json_object(
    select(
        *_staff_columns,
        _list_of(
            refunds,
            refunds.c.id,
            refunds.c.payment_id,
            money(refunds.c.amount, payments.c.currency).label("total"),
            refunds.c.reason,
            refunds.c.state,
            refunds.c.actor_id,
            refunds.c.external_id,
            refunds.c.created_at,
        ).label("refunds"),
        _list_of(
            disputes,
            disputes.c.id,
            disputes.c.payment_id,
            money(disputes.c.amount, payments.c.currency).label("total"),
            disputes.c.reason,
            disputes.c.state,
            disputes.c.external_id,
            disputes.c.created_at,
        ).label("disputes"),
    ).where(payments.c.id == bindparam("payment_id", type_=Uuid), payments.c.product == _PRODUCT)
)
STAFF_CHECKOUTS = Narrowed(
    select(
        checkouts.c.id,
        checkouts.c.product,
        checkouts.c.purpose,
        checkouts.c.subject_id,
        checkouts.c.user_id,
        checkouts.c.state,
        money(checkouts.c.amount, checkouts.c.currency).label("total"),
        checkouts.c.external_id,
        checkouts.c.expires_at,
        checkouts.c.paid_at,
        checkouts.c.created_at,
    ).where(checkouts.c.product == _PRODUCT),
    checkouts.c.created_at,
    checkouts.c.id,
    user_id=checkouts.c.user_id == _USER,
    purpose=checkouts.c.purpose,
    state=each(checkouts.c.state, "open", "paid", "expired"),
)
_failed = select(
    failed_transactions.c.id,
    failed_transactions.c.checkout_id,
    checkouts.c.product,
    checkouts.c.purpose,
    failed_transactions.c.code,
    failed_transactions.c.failed_at,
).join(checkouts, checkouts.c.id == failed_transactions.c.checkout_id)
FAILURES = PagedStatement(
    _failed.where(checkouts.c.user_id == _USER),
    failed_transactions.c.failed_at,
    failed_transactions.c.id,
)
STAFF_FAILURES = Narrowed(
    _failed.where(checkouts.c.product == _PRODUCT),
    failed_transactions.c.failed_at,
    failed_transactions.c.id,
    user_id=checkouts.c.user_id == _USER,
)
STAFF_DISPUTES = Narrowed(
    select(
        disputes.c.id,
        disputes.c.payment_id,
        money(disputes.c.amount, payments.c.currency).label("total"),
        disputes.c.reason,
        disputes.c.state,
        disputes.c.external_id,
        disputes.c.created_at,
    )
    .join(payments, payments.c.id == disputes.c.payment_id)
    .where(payments.c.product == _PRODUCT),
    disputes.c.created_at,
    disputes.c.id,
    state=each(disputes.c.state, "inquiry", "open", "won", "lost"),
)
