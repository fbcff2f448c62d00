"""Every statement on webhook events."""

from sqlalchemy import DateTime, Integer, Text, Uuid, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core.statements import command, statement
from chalicelib.kernel.billing.tables import webhook_events

NOW = bindparam("now", type_=DateTime(timezone=True))
_WEBHOOK = bindparam("webhook_id", type_=Uuid)
_pending = (webhook_events.c.id == _WEBHOOK) & (webhook_events.c.state == "pending")

RECEIVE = statement(
    insert(webhook_events)
    .on_conflict_do_nothing(index_elements=[webhook_events.c.gateway, webhook_events.c.event_id])
    .returning(webhook_events.c.id)
)
PENDING = statement(
    select(
        webhook_events.c.type,
        webhook_events.c.payload["data"]["object"]["id"].astext,
        webhook_events.c.attempts,
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
    .where(webhook_events.c.state == "pending", webhook_events.c.next_attempt_at <= NOW)
    .order_by(webhook_events.c.next_attempt_at)
    .limit(100)
)
