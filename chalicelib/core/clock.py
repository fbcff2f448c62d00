"""The clock that rules go by. It can be moved locally and in tests; SQL's now() is never asked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def real_time() -> datetime:
    """The time on the wall, UTC: for signatures, TLS and other people's tokens."""
    return datetime.now(UTC)


_source: Callable[[], datetime] = real_time


def now() -> datetime:
    """The time that rules go by, aware, in UTC."""
    return _source()


def follow(source: Callable[[], datetime]) -> None:
    """Take the time from `source` from now on; it must return aware UTC times."""
    global _source  # noqa: PLW0603  one clock per process is the point
    _source = source


def shifted(offset: timedelta) -> Callable[[], datetime]:
    """A source that runs at the real pace, `offset` away from the wall."""
    return lambda: real_time() + offset


def frozen(at: datetime) -> Callable[[], datetime]:
    """A source that stands still at `at`."""
    return lambda: at
