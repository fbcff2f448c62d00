"""Every statement on payment gateways. Secrets are read by none that answers somebody."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    LargeBinary,
    ScalarSelect,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import command, json_object, statement
from chalicelib.kernel.billing.gateways.tables import payment_gateways

NOW = bindparam("now", type_=DateTime(timezone=True))
_GATEWAY = bindparam("gateway_id", type_=Uuid)

_shown = (
    payment_gateways.c.id,
    payment_gateways.c.name,
    payment_gateways.c.kind,
    payment_gateways.c.public_key,
    payment_gateways.c.is_active,
    payment_gateways.c.created_at,
    payment_gateways.c.updated_at,
)


def active(kind: str) -> ScalarSelect[Any]:
    """The gateway that takes the payments of a kind now; null for the environment's."""
    return (
        select(payment_gateways.c.id)
        .where(payment_gateways.c.is_active, payment_gateways.c.kind == kind)
        .scalar_subquery()
    )


def secret_of(gateway_id: ColumnElement[Any]) -> ScalarSelect[bytes]:
    """A gateway's sealed secret, to ride in a larger statement."""
    return (
        select(payment_gateways.c.secret)
        .where(payment_gateways.c.id == gateway_id)
        .scalar_subquery()
    )


GATEWAYS = PagedStatement(select(*_shown), payment_gateways.c.id)
CREATE = json_object(select(insert(payment_gateways).returning(*_shown).cte("created")))


def _kept_or(name: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(cast(bindparam(name, type_=column.type), column.type), column)


CHANGE = json_object(
    select(
        update(payment_gateways)
        .where(payment_gateways.c.id == _GATEWAY)
        .values(
            public_key=_kept_or("new_public_key", payment_gateways.c.public_key),
            secret=_kept_or("new_secret", payment_gateways.c.secret),
            webhook_secret=_kept_or("new_webhook_secret", payment_gateways.c.webhook_secret),
            is_active=_kept_or("activate", payment_gateways.c.is_active),
            updated_at=NOW,
        )
        .returning(*_shown)
        .cte("changed")
    )
)
RETIRE_OTHERS = command(
    update(payment_gateways)
    .where(
        payment_gateways.c.kind == bindparam("of_kind", type_=Text),
        payment_gateways.c.is_active,
        payment_gateways.c.id != _GATEWAY,
    )
    .values(is_active=False, updated_at=NOW)
)
SECRETS = statement(
    select(
        payment_gateways.c.id,
        cast(payment_gateways.c.secret, LargeBinary),
        cast(payment_gateways.c.webhook_secret, LargeBinary),
    ).order_by(payment_gateways.c.id)
)
