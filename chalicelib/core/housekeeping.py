"""What core does by the clock: send events that still wait, drop what nobody needs any more."""

from datetime import datetime

from chalice.app import Blueprint
from sqlalchemy import DateTime, bindparam, func, select

from chalicelib.core import outbox
from chalicelib.core.db import Connection
from chalicelib.core.jobs import Daily, Every, job
from chalicelib.core.statements import command, place_of
from chalicelib.core.tables import idempotency_keys, rate_limits

bp = Blueprint(__name__)

_BATCH = 1000
_NOW = bindparam("now", type_=DateTime(timezone=True))

# In the order of their end: most often none has ended, and the index says so at once.
EXPIRED_KEYS = command(
    idempotency_keys.delete().where(
        place_of(idempotency_keys)
        == func.any(
            func.array(
                select(place_of(idempotency_keys))
                .where(idempotency_keys.c.expires_at < _NOW)
                .order_by(idempotency_keys.c.expires_at)
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
                .scalar_subquery()
            )
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
                .order_by(rate_limits.c.window_ends_at)
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
