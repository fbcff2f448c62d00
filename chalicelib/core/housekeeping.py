"""What core does by the clock: send events that still wait, drop what nobody needs any more."""

from datetime import datetime

from chalice.app import Blueprint
from sqlalchemy import DateTime, bindparam, func, select, tuple_

from chalicelib.core import outbox
from chalicelib.core.db import Connection
from chalicelib.core.jobs import Daily, Every, job
from chalicelib.core.statements import command
from chalicelib.core.tables import idempotency_keys, rate_limits

bp = Blueprint(__name__)

_BATCH = 1000
_NOW = bindparam("now", type_=DateTime(timezone=True))

EXPIRED_KEYS = command(
    idempotency_keys.delete().where(
        tuple_(idempotency_keys.c.owner, idempotency_keys.c.key).in_(
            select(idempotency_keys.c.owner, idempotency_keys.c.key)
            .where(idempotency_keys.c.expires_at < _NOW)
            .limit(_BATCH)
        )
    )
)
ENDED_WINDOWS = command(
    rate_limits.delete().where(
        rate_limits.c.bucket
        == func.any(
            func.array(
                select(rate_limits.c.bucket)
                .where(rate_limits.c.window_ends_at < _NOW)
                .limit(_BATCH)
                .scalar_subquery()
            )
        ),
        rate_limits.c.window_ends_at < _NOW,
    )
)


@job(bp, Every(1))
def relay(db: Connection, _now: datetime) -> int:
    """Send the events that are not yet recorded as delivered."""
    return outbox.relay(db)


@job(bp, Daily(3, 10))
def forget_events(db: Connection, _now: datetime) -> int:
    """Drop the events that were done a week ago."""
    return outbox.forget(db)


@job(bp, Every(60))
def forget_attempts(db: Connection, now: datetime) -> int:
    """Drop expired idempotency keys and rate limits whose window has ended."""
    return db.run(EXPIRED_KEYS, now=now) + db.run(ENDED_WINDOWS, now=now)
