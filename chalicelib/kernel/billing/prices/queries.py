"""Every statement on the catalogue."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    insert,
    select,
    update,
)

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import json_object
from chalicelib.kernel.billing.payments.queries import money
from chalicelib.kernel.billing.tables import prices

_PRODUCT = bindparam("product", type_=Text)

PRICES = PagedStatement(
    select(
        prices.c.id,
        prices.c.product,
        prices.c.code,
        prices.c.kind,
        prices.c.name,
        money(prices.c.amount, prices.c.currency).label("price"),
        prices.c.credit_unit,
        prices.c.credit_amount,
        prices.c.takes_subject,
    ).where(prices.c.product == _PRODUCT, prices.c.is_active),
    prices.c.sort_order,
    prices.c.id,
    ascending=True,
)

_staff_columns = (
    prices.c.id,
    prices.c.product,
    prices.c.code,
    prices.c.kind,
    prices.c.name,
    money(prices.c.amount, prices.c.currency).label("price"),
    prices.c.credit_unit,
    prices.c.credit_amount,
    prices.c.takes_subject,
    prices.c.sort_order,
    prices.c.is_active,
    prices.c.created_at,
    prices.c.updated_at,
)
STAFF_PRICES = PagedStatement(
    select(*_staff_columns).where(prices.c.product == _PRODUCT),
    prices.c.sort_order,
    prices.c.id,
    ascending=True,
)
CREATE = json_object(select(insert(prices).returning(*_staff_columns).cte("created")))


def _kept_or(name: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(cast(bindparam(name, type_=column.type), column.type), column)


CHANGE = json_object(
    select(
        update(prices)
        .where(prices.c.id == bindparam("price_id", type_=Uuid), prices.c.product == _PRODUCT)
        .values(
            name=_kept_or("new_name", prices.c.name),
            amount=_kept_or("new_amount", prices.c.amount),
            currency=_kept_or("new_currency", prices.c.currency),
            credit_amount=_kept_or("new_credit_amount", prices.c.credit_amount),
            sort_order=_kept_or("new_sort_order", prices.c.sort_order),
            is_active=_kept_or("activate", prices.c.is_active),
            updated_at=bindparam("now", type_=DateTime(timezone=True)),
        )
        .returning(*_staff_columns)
        .cte("changed")
    )
)
