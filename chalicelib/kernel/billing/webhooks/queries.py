"""Every statement on webhook events."""

from sqlalchemy import (
    DateTime,
    Integer,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core.paging import Narrowed, each
from chalicelib.core.statements import command, json_object, statement
from chalicelib.kernel.billing.gateways.queries import secret_of
from chalicelib.kernel.billing.webhooks.tables import webhook_events

NOW = bindparam("now", type_=DateTime(timezone=True))
_WEBHOOK = bindparam("webhook_id", type_=Uuid)
_pending = (webhook_events.c.id == _WEBHOOK) & (webhook_events.c.state == "pending")

RECEIVE = statement(
    insert(webhook_events)
    .on_conflict_do_nothing(index_elements=[webhook_events.c.gateway, webhook_events.c.event_id])
    .returning(webhook_events.c.id)
)
_object = webhook_events.c.payload["data"]["object"]
PENDING = statement(
    select(
        webhook_events.c.type,
        _object["id"].astext,
        webhook_events.c.attempts,
        webhook_events.c.gateway_id,
        secret_of(webhook_events.c.gateway_id),
    ).where(_pending)
)
# The row is held while its effect happens, so a twin waits and then finds it done.
SETTLE = statement(
    update(webhook_events)
    .where(_pending)
    .values(state=bindparam("outcome", type_=Text), processed_at=NOW, error=None)
    .returning(webhook_events.c.id)
)
SETTLE_AS_IGNORED = command(
    update(webhook_events).where(webhook_events.c.id == _WEBHOOK).values(state="ignored")
)
FAIL = command(
    update(webhook_events)
    .where(_pending)
    .values(
        state=bindparam("outcome", type_=Text),
        attempts=bindparam("tried", type_=Integer),
        next_attempt_at=bindparam("again_at", type_=DateTime(timezone=True)),
        error=bindparam("reason", type_=Text),
    )
)
DUE = statement(
    select(webhook_events.c.id)
    .where(
        # Written out, as the index says it: a plan for all values finds it by that.
        webhook_events.c.state == literal_column("'pending'"),
        webhook_events.c.next_attempt_at <= NOW,
    )
    .order_by(webhook_events.c.next_attempt_at)
    .limit(100)
)

_shown = (
    webhook_events.c.id,
    webhook_events.c.gateway,
    webhook_events.c.event_id,
    webhook_events.c.type,
    _object["id"].astext.label("object_id"),
    webhook_events.c.state,
    webhook_events.c.attempts,
    webhook_events.c.next_attempt_at,
    webhook_events.c.error,
    webhook_events.c.processed_at,
    webhook_events.c.created_at,
)
EVENTS = Narrowed(
    select(*_shown),
    webhook_events.c.id,
    state=each(webhook_events.c.state, "pending", "processed", "ignored", "failed"),
    type=webhook_events.c.type,
)
REPLAY = json_object(
    select(
        update(webhook_events)
        .where(webhook_events.c.id == _WEBHOOK)
        .values(
            state="pending",
            attempts=0,
            error=None,
            processed_at=None,
            next_attempt_at=bindparam("again_at", type_=DateTime(timezone=True)),
        )
        .returning(*_shown)
        .cte("replayed")
    )
)
SCRUB = command(
    update(webhook_events)
    .where(
        webhook_events.c.id
        == func.any(
            func.array(
                select(webhook_events.c.id)
                .where(
                    webhook_events.c.scrubbed_at.is_(None),
                    webhook_events.c.created_at
                    < bindparam("before", type_=DateTime(timezone=True)),
                )
                .order_by(webhook_events.c.created_at)
                .limit(500)
                .scalar_subquery()
            )
        )
    )
    .values(
        payload=func.jsonb_build_object(
            "id",
            webhook_events.c.event_id,
            "type",
            webhook_events.c.type,
            "data",
            func.jsonb_build_object("object", func.jsonb_build_object("id", _object["id"].astext)),
        ),
        scrubbed_at=NOW,
    )
)
