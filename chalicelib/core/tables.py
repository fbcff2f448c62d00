"""Core's own tables: events on their way out, keys of attempts, limits, job runs."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Table,
    TypedColumns,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from chalicelib.core.columns import (
    Fate,
    identifier,
    metadata,
    moment,
    moment_or_none,
    words,
    words_or_none,
)

SCHEMA = "core"


class OutboxColumns(TypedColumns):
    """An event, kept until every subscriber has recorded it."""

    id = identifier(primary_key=True)
    topic = words(Fate.NOT_PERSONAL)
    payload = Column(JSONB, nullable=False, info={"pii": Fate.NOT_PERSONAL})
    created_at = moment()
    attempts = Column(Integer, nullable=False)
    next_send_at = moment()
    done_at = moment_or_none()


outbox = Table(
    "outbox",
    metadata,
    OutboxColumns,
    Index("outbox_not_done", "next_send_at", postgresql_where=text("done_at is null")),
    Index("outbox_done_at", "done_at", postgresql_where=text("done_at is not null")),
    schema=SCHEMA,
)


class SubscriptionColumns(TypedColumns):
    """Which subscriber hears of which topic, and on which queue."""

    topic = words(Fate.NOT_PERSONAL, primary_key=True)
    subscriber = words(Fate.NOT_PERSONAL, primary_key=True)
    queue = words(Fate.NOT_PERSONAL)


subscriptions = Table("subscriptions", metadata, SubscriptionColumns, schema=SCHEMA)


class DeliveryColumns(TypedColumns):
    """That a subscriber's effect of an event has happened; inserted with the effect."""

    event_id = identifier(primary_key=True)
    subscriber = words(Fate.NOT_PERSONAL, primary_key=True)
    delivered_at = moment()


deliveries = Table("deliveries", metadata, DeliveryColumns, schema=SCHEMA)


class IdempotencyKeyColumns(TypedColumns):
    """A client's attempt at something that moves money, and the answer it got."""

    owner = words(Fate.NOT_PERSONAL, primary_key=True)
    key = words(Fate.NOT_PERSONAL, primary_key=True)
    operation = words(Fate.NOT_PERSONAL)
    request_hash = words(Fate.NOT_PERSONAL)
    state = words(Fate.NOT_PERSONAL)
    status = Column(Integer, nullable=True)
    body = words_or_none(Fate.BLANK)
    created_at = moment()
    expires_at = moment()


idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    IdempotencyKeyColumns,
    CheckConstraint("state in ('running', 'abandoned', 'done')", name="idempotency_keys_state"),
    Index("idempotency_keys_expires_at", "expires_at"),
    schema=SCHEMA,
    info={"owner": "owner"},
)


class RateLimitColumns(TypedColumns):
    """Hits in a window. Buckets are hashes, so no address is stored."""

    bucket = words(Fate.NOT_PERSONAL, primary_key=True)
    window_ends_at = moment(primary_key=True)
    hits = Column(Integer, nullable=False)


rate_limits = Table(
    "rate_limits",
    metadata,
    RateLimitColumns,
    Index("rate_limits_window_ends_at", "window_ends_at"),
    prefixes=["unlogged"],
    schema=SCHEMA,
)


class JobRunColumns(TypedColumns):
    """One run of a job for one slot of its schedule."""

    id = identifier(primary_key=True)
    job = words(Fate.NOT_PERSONAL)
    slot = moment()
    state = words(Fate.NOT_PERSONAL)
    rows = Column(BigInteger, nullable=False)
    error = words_or_none(Fate.NOT_PERSONAL)
    lease_until = moment()
    started_at = moment()
    finished_at = moment_or_none()


job_runs = Table(
    "job_runs",
    metadata,
    JobRunColumns,
    CheckConstraint("state in ('running', 'done', 'failed', 'lost')", name="job_runs_state"),
    Index("job_runs_job_slot", "job", "slot", unique=True),
    Index("job_runs_job", "job", "id"),
    Index("job_runs_job_state", "job", "state", "id"),
    Index("job_runs_state_id", "state", "id"),
    Index("job_runs_one_running", "job", unique=True, postgresql_where=text("state = 'running'")),
    schema=SCHEMA,
)


class SettingColumns(TypedColumns):
    """A value an operator may change; never a secret."""

    product = words(Fate.NOT_PERSONAL, primary_key=True)
    key = words(Fate.NOT_PERSONAL, primary_key=True)
    kind = words(Fate.NOT_PERSONAL)
    value = Column(JSONB, nullable=False, info={"pii": Fate.NOT_PERSONAL})
    updated_at = moment()
    updated_by = Column(Uuid, nullable=True)


settings = Table(
    "settings",
    metadata,
    SettingColumns,
    CheckConstraint("kind in ('integer', 'text', 'boolean')", name="settings_kind"),
    schema=SCHEMA,
)


class AuditLogColumns(TypedColumns):
    """What staff and the system did to others' things. Append only."""

    id = identifier(primary_key=True)
    actor_id = Column(Uuid, nullable=True)
    action = words(Fate.NOT_PERSONAL)
    subject = words(Fate.NOT_PERSONAL)
    detail = Column(JSONB, nullable=False, info={"pii": Fate.NOT_PERSONAL})
    at = moment()


audit_log = Table(
    "audit_log",
    metadata,
    AuditLogColumns,
    Index("audit_log_subject", "subject", "id"),
    Index("audit_log_actor_id", "actor_id", "id"),
    schema=SCHEMA,
)
