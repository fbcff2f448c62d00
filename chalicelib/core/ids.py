"""Ids and secrets: UUIDv7 for rows, random tokens for what must not be guessed."""

import hashlib
import os
import secrets
import threading
from uuid import UUID

from chalicelib.core import clock

_lock = threading.Lock()
_last = (0, 0)  # milliseconds, counter

_COUNTER_BITS = 12
_TOKEN_BYTES = 32
# So much may the last id be ahead of the clock: it stepped back, or ids were made too fast for it.
_MOST_AHEAD_MILLISECONDS = 10_000


def uuid7() -> UUID:
    """A new id that sorts by creation time within this process (RFC 9562, section 6.2, method 1)."""
    global _last  # noqa: PLW0603  the counter that keeps ids of one millisecond in order
    milliseconds = int(clock.now().timestamp() * 1000)
    with _lock:
        last_milliseconds, counter = _last
        if not 0 <= last_milliseconds - milliseconds <= _MOST_AHEAD_MILLISECONDS:
            counter = secrets.randbits(_COUNTER_BITS - 1)
        elif counter + 1 < 1 << _COUNTER_BITS:
            milliseconds, counter = last_milliseconds, counter + 1
        else:
            milliseconds, counter = last_milliseconds + 1, 0
        _last = (milliseconds, counter)
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | random)


def secret_token() -> str:
    """256 random bits, URL-safe: shown once to its owner, kept only as `token_hash`."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> str:
    """What is stored of a secret token: SHA-256, hexadecimal. Its 256 bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
