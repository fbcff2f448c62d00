"""Every statement on refunds."""

from sqlalchemy import (
    DateTime,
    Text,
    Uuid,
    and_,
    bindparam,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from chalicelib.core.statements import command, json_object, statement
from chalicelib.kernel.billing.gateways.queries import secret_of
from chalicelib.kernel.billing.payments.queries import money
from chalicelib.kernel.billing.refunds.tables import refunds
from chalicelib.kernel.billing.tables import checkouts, payments

NOW = bindparam("now", type_=DateTime(timezone=True))
_REFUND = bindparam("refund_id", type_=Uuid)
_EXTERNAL = bindparam("told_id", type_=Text)

ADD = command(insert(refunds))
BY_ATTEMPT = statement(
    select(
        refunds.c.payment_id, refunds.c.id, refunds.c.amount, refunds.c.reason, refunds.c.state
    ).where(
        refunds.c.actor_id == bindparam("actor_id", type_=Uuid),
        refunds.c.attempt == bindparam("attempt", type_=Text),
    )
)
KNOWN = statement(
    select(refunds.c.id, refunds.c.state).where(
        refunds.c.payment_id == bindparam("payment_id", type_=Uuid),
        or_(
            refunds.c.external_id == _EXTERNAL,
            and_(refunds.c.id == _REFUND, refunds.c.external_id.is_(None)),
        ),
    )
)
ADVANCE = command(
    update(refunds)
    .where(refunds.c.id == _REFUND)
    .values(state=bindparam("new_state", type_=Text), external_id=_EXTERNAL, updated_at=NOW)
)
REFUSED = command(
    update(refunds)
    .where(refunds.c.id == _REFUND, refunds.c.state == "ordered")
    .values(state="failed", updated_at=NOW)
)
SHOWN = json_object(
    select(
        refunds.c.id,
        refunds.c.payment_id,
        money(refunds.c.amount, payments.c.currency).label("total"),
        refunds.c.reason,
        refunds.c.state,
        refunds.c.actor_id,
        refunds.c.external_id,
        refunds.c.created_at,
    )
    .join(payments, payments.c.id == refunds.c.payment_id)
    .where(refunds.c.id == _REFUND)
)
UNFINISHED = statement(
    select(
        refunds.c.id,
        refunds.c.amount,
        refunds.c.reason,
        refunds.c.state,
        payments.c.product,
        payments.c.external_id,
        checkouts.c.gateway_id,
        secret_of(checkouts.c.gateway_id),
    )
    .join(payments, payments.c.id == refunds.c.payment_id)
    .join(checkouts, checkouts.c.id == payments.c.checkout_id)
    .where(
        # Written out, as the index says it: a plan for all values finds it by that.
        refunds.c.state == literal_column("'ordered'"),
        refunds.c.created_at < bindparam("before", type_=DateTime(timezone=True)),
    )
    .order_by(refunds.c.created_at)
    .limit(50)
)
