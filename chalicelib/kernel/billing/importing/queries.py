"""The statements that take over prices and payments from somewhere else."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Integer,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core.statements import statement
from chalicelib.kernel.billing.tables import checkout_lines, checkouts, payments, prices

_PRODUCT = bindparam("product", type_=Text)
_CODE = bindparam("code", type_=Text)
_USER = bindparam("user_id", type_=Uuid)
_CHECKOUT = bindparam("checkout_id", type_=Uuid)
_AMOUNT = bindparam("amount", type_=BigInteger)
_CURRENCY = bindparam("currency", type_=Text)
_EXTERNAL = bindparam("external_id", type_=Text)
_CREDITS = bindparam("credits", type_=BigInteger)
_PAID_AT = bindparam("paid_at", type_=DateTime(timezone=True))

_priced = insert(prices).values(
    id=bindparam("price_id", type_=Uuid),
    product=_PRODUCT,
    code=_CODE,
    kind=case((_CREDITS.is_(None), "fee"), else_="pack"),
    name=bindparam("name", type_=Text),
    amount=_AMOUNT,
    currency=_CURRENCY,
    credit_unit=case((_CREDITS.is_(None), null()), else_="contact"),
    credit_amount=_CREDITS,
    takes_subject=literal(False),
    sort_order=bindparam("sort_order", type_=Integer),
    is_active=bindparam("is_active", type_=Boolean),
    created_at=bindparam("now", type_=DateTime(timezone=True)),
    updated_at=bindparam("now", type_=DateTime(timezone=True)),
)
_TAKEN_OVER = ("name", "amount", "currency", "credit_amount")
PUT_PRICE = statement(
    _priced.on_conflict_do_update(
        index_elements=[prices.c.product, prices.c.code],
        set_={name: _priced.excluded[name] for name in (*_TAKEN_OVER, "updated_at")},
        where=(prices.c.kind == _priced.excluded.kind)
        & func.row(*(prices.c[name] for name in _TAKEN_OVER)).is_distinct_from(
            func.row(*(_priced.excluded[name] for name in _TAKEN_OVER))
        ),
    ).returning(prices.c.id)
)
SAME_KIND = statement(
    select(prices.c.kind == case((_CREDITS.is_(None), "fee"), else_="pack")).where(
        prices.c.product == _PRODUCT, prices.c.code == _CODE
    )
)

_price = (
    select(prices.c.id, prices.c.name)
    .where(prices.c.product == _PRODUCT, prices.c.code == _CODE)
    .cte("price")
)
_checkout = (
    insert(checkouts)
    .from_select(
        [
            "id", "product", "user_id", "attempt", "purpose", "subject_id", "currency", "amount",
            "gateway", "external_id", "state", "expires_at", "paid_at", "created_at", "updated_at",
        ],
        select(
            _CHECKOUT, _PRODUCT, _USER, literal("import:") + cast(_CHECKOUT, Text), _CODE,
            bindparam("subject_id", type_=Uuid), _CURRENCY, _AMOUNT, literal("stripe"), _EXTERNAL,
            literal("paid"), _PAID_AT, _PAID_AT, _PAID_AT, _PAID_AT,
        ).select_from(_price),
    )
    .on_conflict_do_nothing()
    .returning(checkouts.c.id)
    .cte("checkout")
)  # fmt: skip
_line = (
    insert(checkout_lines)
    .from_select(
        [
            "id", "checkout_id", "price_id", "description", "quantity", "unit_amount",
            "credit_unit", "credit_amount",
        ],
        select(
            bindparam("line_id", type_=Uuid), _checkout.c.id, _price.c.id, _price.c.name,
            literal(1), _AMOUNT, case((_CREDITS.is_(None), null()), else_="contact"), _CREDITS,
        ).where(_price.c.id.is_not(None)),
    )
    .returning(checkout_lines.c.id)
    .cte("line")
)  # fmt: skip
_payment = (
    insert(payments)
    .from_select(
        [
            "id", "checkout_id", "user_id", "product", "kind", "amount", "currency", "gateway",
            "method", "state", "external_id", "paid_at", "created_at",
        ],
        select(
            bindparam("payment_id", type_=Uuid), _checkout.c.id, _USER, _PRODUCT, _CODE, _AMOUNT,
            _CURRENCY, literal("stripe"), literal("card"), literal("succeeded"), _EXTERNAL,
            _PAID_AT, _PAID_AT,
        ),
    )
    .returning(payments.c.id)
    .cte("payment")
)  # fmt: skip
ADD_PAYMENT = statement(
    select(
        select(func.count()).select_from(_checkout).scalar_subquery() > 0,
        select(literal(1)).where(checkouts.c.id == _CHECKOUT).exists(),
        select(func.count()).select_from(_price).scalar_subquery() > 0,
    ).add_cte(_line, _payment)
)
