"""Every statement on buying."""

from typing import Any

from sqlalchemy import (
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from chalicelib.core.statements import command, json_object, statement
from chalicelib.kernel.billing.gateways.queries import active, secret_of
from chalicelib.kernel.billing.payments.queries import STANDS, money
from chalicelib.kernel.billing.tables import (
    checkout_lines,
    checkouts,
    failed_transactions,
    payments,
    prices,
)

NOW = bindparam("now", type_=DateTime(timezone=True))
_USER = bindparam("user_id", type_=Uuid)
_CHECKOUT = bindparam("checkout_id", type_=Uuid)


_for_sale = (
    (prices.c.product == bindparam("product", type_=Text))
    & (prices.c.code == bindparam("code", type_=Text))
    & prices.c.is_active
)
TAKES_SUBJECT = statement(select(prices.c.takes_subject).where(_for_sale))

# The same attempt finds the checkout it opened before; what was promised is copied to the line.
_quantity = bindparam("quantity", type_=Integer)
_subject = bindparam("subject_id", type_=Uuid)
_price = (
    select(prices)
    .where(
        _for_sale,
        prices.c.takes_subject == _subject.is_not(None),
        or_(~prices.c.takes_subject, _quantity == 1),
    )
    .cte("price")
)
_opened = (
    upsert(checkouts)
    .from_select(
        [
            "id", "product", "user_id", "attempt", "purpose", "subject_id", "currency", "amount",
            "gateway", "gateway_id", "state", "expires_at", "created_at", "updated_at",
        ],
        select(
            _CHECKOUT, _price.c.product, _USER, bindparam("attempt", type_=Text), _price.c.code,
            _subject, _price.c.currency, _price.c.amount * _quantity, literal("stripe"),
            active("stripe"), literal("open"),
            bindparam("expires_at", type_=DateTime(timezone=True)), NOW, NOW,
        ),
    )
    .on_conflict_do_nothing(index_elements=[checkouts.c.user_id, checkouts.c.attempt])
    .returning(checkouts)
    .cte("opened")
)  # fmt: skip
_line = (
    insert(checkout_lines)
    .from_select(
        [
            "id", "checkout_id", "price_id", "description", "quantity", "unit_amount",
            "credit_unit", "credit_amount",
        ],
        select(
            bindparam("line_id", type_=Uuid), _opened.c.id, _price.c.id, _price.c.name, _quantity,
            _price.c.amount, _price.c.credit_unit, _price.c.credit_amount,
        ),
    )
    .returning(checkout_lines.c.id)
    .cte("line")
)  # fmt: skip


def _to_be_paid(source: Any) -> Select[Any, Any, Any, Any, Any, Any, Any, Any, Any, Any, Any]:
    return select(
        source.c.id,
        source.c.product,
        source.c.state,
        source.c.currency,
        source.c.external_id,
        source.c.url,
        source.c.expires_at,
        source.c.gateway_id,
        secret_of(source.c.gateway_id),
        source.c.purpose,
        source.c.subject_id,
    )


_earlier = _to_be_paid(checkouts).where(
    checkouts.c.user_id == _USER, checkouts.c.attempt == bindparam("attempt", type_=Text)
)
OPEN = statement(_to_be_paid(_opened).union_all(_earlier).add_cte(_line))
LINES = statement(
    select(
        checkout_lines.c.id,
        checkout_lines.c.description,
        checkout_lines.c.quantity,
        checkout_lines.c.unit_amount,
        checkout_lines.c.credit_unit,
        checkout_lines.c.credit_amount,
    )
    .where(checkout_lines.c.checkout_id == _CHECKOUT)
    .order_by(checkout_lines.c.id)
)
# Of two that prolong it at once, one does, and both go by what it then is.
PROLONG = command(
    update(checkouts)
    .where(
        checkouts.c.id == _CHECKOUT,
        checkouts.c.state == "open",
        checkouts.c.external_id.is_(None),
        checkouts.c.expires_at == bindparam("told_expiry", type_=DateTime(timezone=True)),
    )
    .values(expires_at=bindparam("later", type_=DateTime(timezone=True)), updated_at=NOW)
)
EXPIRY = statement(select(checkouts.c.expires_at).where(checkouts.c.id == _CHECKOUT))
ATTACH = command(
    update(checkouts)
    .where(checkouts.c.id == _CHECKOUT)
    .values(
        external_id=bindparam("told_id", type_=Text),
        url=bindparam("told_url", type_=Text),
        updated_at=NOW,
    )
)

_checkout_columns = (
    checkouts.c.id,
    checkouts.c.product,
    checkouts.c.purpose,
    checkouts.c.subject_id,
    checkouts.c.state,
    money(checkouts.c.amount, checkouts.c.currency).label("total"),
    checkouts.c.url,
    checkouts.c.expires_at,
    checkouts.c.paid_at,
)
CHECKOUT = json_object(
    select(*_checkout_columns).where(checkouts.c.id == _CHECKOUT, checkouts.c.user_id == _USER)
)
# A payment that comes late is honoured: the money is there. One that comes again changes nothing.
_paid = (
    update(checkouts)
    .where(
        checkouts.c.id == _CHECKOUT,
        checkouts.c.state != "paid",
        checkouts.c.amount == bindparam("paid_amount", type_=checkouts.c.amount.type),
        checkouts.c.currency == bindparam("paid_currency", type_=Text),
    )
    .values(
        state="paid", paid_at=NOW, updated_at=NOW, external_id=bindparam("session_id", type_=Text)
    )
    .returning(checkouts)
    .cte("paid")
)
_payment = (
    insert(payments)
    .from_select(
        [
            "id", "checkout_id", "user_id", "product", "kind", "amount", "currency", "gateway",
            "method", "state", "external_id", "paid_at", "created_at",
        ],
        select(
            bindparam("payment_id", type_=Uuid), _paid.c.id, _paid.c.user_id, _paid.c.product,
            _paid.c.purpose, _paid.c.amount, _paid.c.currency, _paid.c.gateway,
            bindparam("method", type_=Text), literal("succeeded"),
            bindparam("external_id", type_=Text), NOW, NOW,
        ),
    )
    .returning(payments.c.id)
    .cte("payment")
)  # fmt: skip
PAY = statement(select(_paid.c.user_id).add_cte(_payment))
# With what paid it: the page it knows last need not be the one that was paid.
OFFERED = statement(
    select(checkouts.c.product, checkouts.c.amount, checkouts.c.currency, payments.c.external_id)
    .outerjoin_from(checkouts, payments, payments.c.checkout_id == checkouts.c.id)
    .where(checkouts.c.id == _CHECKOUT)
)
# Held against a refund until the goods are handed over: it then comes after, and takes them back.
PAID = statement(
    select(
        payments.c.user_id,
        payments.c.product,
        payments.c.kind,
        checkouts.c.subject_id,
        payments.c.id,
        payments.c.paid_at,
        STANDS,
    )
    .join(checkouts, checkouts.c.id == payments.c.checkout_id)
    .where(payments.c.checkout_id == _CHECKOUT)
    .with_for_update(read=True, of=payments)
)
# The end of a page that was left behind by a lost reply is not the end of the checkout.
EXPIRE = command(
    update(checkouts)
    .where(
        checkouts.c.id == _CHECKOUT,
        checkouts.c.state == "open",
        checkouts.c.external_id == bindparam("session_id", type_=Text),
    )
    .values(state="expired", updated_at=NOW)
)
# States are written out, as the indexes say them: a plan for all values finds one by that.
EXPIRE_DUE = command(
    update(checkouts)
    .where(
        checkouts.c.id
        == func.any(
            func.array(
                select(checkouts.c.id)
                .where(checkouts.c.state == literal_column("'open'"), checkouts.c.expires_at <= NOW)
                .order_by(checkouts.c.expires_at)
                .limit(500)
                .with_for_update(skip_locked=True)
                .scalar_subquery()
            )
        )
    )
    .values(state="expired", updated_at=NOW)
)
TO_CLOSE = statement(
    select(
        checkouts.c.id,
        checkouts.c.external_id,
        checkouts.c.gateway_id,
        secret_of(checkouts.c.gateway_id),
    )
    .where(
        checkouts.c.state == literal_column("'expired'"),
        checkouts.c.closed_at.is_(None),
        checkouts.c.external_id.is_not(None),
        checkouts.c.expires_at > bindparam("since", type_=DateTime(timezone=True)),
    )
    .order_by(checkouts.c.expires_at)
    .limit(50)
)
CLOSED = command(
    update(checkouts)
    .where(checkouts.c.id == _CHECKOUT, checkouts.c.state == "expired")
    .values(closed_at=NOW, updated_at=NOW)
)
_failure = upsert(failed_transactions)
FAILED = command(
    _failure.from_select(
        ["id", "checkout_id", "gateway", "external_id", "code", "failed_at"],
        select(
            bindparam("failure_id", type_=Uuid),
            select(checkouts.c.id).where(checkouts.c.id == _CHECKOUT).scalar_subquery(),
            literal("stripe"),
            bindparam("external_id", type_=Text),
            bindparam("failure_code", type_=Text),
            NOW,
        ),
    ).on_conflict_do_nothing(
        index_elements=[failed_transactions.c.gateway, failed_transactions.c.external_id]
    )
)
