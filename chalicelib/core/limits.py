"""Rate limits: one upsert decides, in a transaction of its own, so that refused tries count too."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, literal
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core import clock
from chalicelib.core.config import config
from chalicelib.core.db import Prelude
from chalicelib.core.errors import TooManyRequests
from chalicelib.core.operations import Rate
from chalicelib.core.statements import statement
from chalicelib.core.tables import rate_limits

_new = insert(rate_limits).values(
    bucket=bindparam("bucket"), window_ends_at=bindparam("window_ends_at"), hits=literal(1)
)
HIT = statement(
    _new.on_conflict_do_update(
        index_elements=[rate_limits.c.bucket, rate_limits.c.window_ends_at],
        set_={"hits": rate_limits.c.hits + 1},
    ).returning(rate_limits.c.hits)
)

# Buckets known to be full until their window ends: a flood costs the database nothing.
_full: dict[str, datetime] = {}
_MOST_REMEMBERED = 10_000


def prelude(rate: Rate, operation: str, value: str) -> Callable[[], Prelude[Any]]:
    """The hit on the bucket of `operation` and `value`; TooManyRequests past the rate."""
    name = f"{operation}|{rate.by}|{rate.seconds}|{value}"
    key = config().token_keys.encode()
    bucket = hmac.digest(key, name.encode(), hashlib.sha256).hex()[:32]

    def build() -> Prelude[Any]:
        now = clock.now()
        ends = datetime.fromtimestamp((now.timestamp() // rate.seconds + 1) * rate.seconds, UTC)
        seconds_left = max(1, int((ends - now).total_seconds()))
        if _full.get(bucket, now) >= ends:
            raise TooManyRequests(retry_after=seconds_left)

        def check(row: tuple[int] | None) -> None:
            if row is None or row[0] > rate.count:
                if len(_full) >= _MOST_REMEMBERED:
                    _full.clear()
                _full[bucket] = ends
                raise TooManyRequests(retry_after=seconds_left)

        return Prelude(HIT, {"bucket": bucket, "window_ends_at": ends}, check, apart=True)

    return build


def forget() -> None:
    """Forget which buckets were full: for tests that empty the table."""
    _full.clear()
