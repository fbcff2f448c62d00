"""What a provider told us, and how far it was compared with what we hold."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    TypedColumns,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from chalicelib.core.columns import (
    Fate,
    identifier,
    metadata,
    moment,
    moment_or_none,
    reference_or_none,
    words,
    words_or_none,
)

SCHEMA = "billing"


class WebhookEventColumns(TypedColumns):
    """What a provider told us, as it was told, and what became of it."""

    id = identifier(primary_key=True)
    gateway = words(Fate.NOT_PERSONAL)
    gateway_id = reference_or_none("billing.payment_gateways.id")
    event_id = words(Fate.NOT_PERSONAL)
    type = words(Fate.NOT_PERSONAL)
    # It is nobody's row: the clock, not an erasure, leaves nothing but ids of it.
    payload = Column(JSONB, nullable=False, info={"pii": Fate.NOT_PERSONAL})
    state = words(Fate.NOT_PERSONAL)
    attempts = Column(Integer, nullable=False)
    next_attempt_at = Column(DateTime(timezone=True), nullable=True)
    error = words_or_none(Fate.NOT_PERSONAL)
    processed_at = moment_or_none()
    scrubbed_at = moment_or_none()
    created_at = moment()


webhook_events = Table(
    "webhook_events",
    metadata,
    WebhookEventColumns,
    CheckConstraint(
        "state in ('pending', 'processed', 'ignored', 'failed')", name="webhook_events_state"
    ),
    Index("webhook_events_event_id", "gateway", "event_id", unique=True),
    Index("webhook_events_due", "next_attempt_at", postgresql_where=text("state = 'pending'")),
    Index("webhook_events_to_scrub", "created_at", postgresql_where=text("scrubbed_at is null")),
    Index("webhook_events_state", "state", "id"),
    Index("webhook_events_type", "type", "id"),
    Index("webhook_events_type_state", "type", "state", "id"),
    Index("webhook_events_gateway_id", "gateway_id"),
    schema=SCHEMA,
)


class ReconciliationColumns(TypedColumns):
    """How far a list of the provider's has been compared with ours; `cursor` is where it broke off."""

    account = words(Fate.NOT_PERSONAL, primary_key=True)
    resource = words(Fate.NOT_PERSONAL, primary_key=True)
    since = moment()
    until = moment()
    cursor = words_or_none(Fate.NOT_PERSONAL)
    updated_at = moment()


reconciliations = Table(
    "reconciliations",
    metadata,
    ReconciliationColumns,
    CheckConstraint("since < until", name="reconciliations_window"),
    schema=SCHEMA,
)
