"""Idempotency keys: the first result of a key is its only one, for a day.

The result is written in the transaction of the work itself, so a process killed before that has
done nothing and one killed after it has an answer to repeat.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from local.stripe.errors import StripeError, invalid
from local.stripe.forms import Tree
from local.stripe.work import Work

KEPT_SECONDS = 24 * 60 * 60
_LONGEST = 255


class KeysInUse:
    """The keys of requests that are being worked on in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[str] = set()

    @contextmanager
    def claim(self, key: str | None) -> Iterator[None]:
        """Hold a key while its request runs.

        Raises:
            StripeError: 409, when another request with this key is still running.
        """
        if key is None:
            yield
            return
        if len(key) > _LONGEST:
            raise invalid(f"Idempotency keys may be up to {_LONGEST} characters long.")
        with self._lock:
            if key in self._keys:
                raise StripeError(
                    409,
                    "idempotency_error",
                    "There is currently another in-progress request using this Idempotent Key (that"
                    " probably means you submitted twice, and the other request is still going"
                    f" through): {key}. Please try again later.",
                    code="idempotency_key_in_use",
                )
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)


def fingerprint(parameters: Tree) -> str:
    """What makes two requests the same: their parameters, in any order."""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()


def recall(work: Work, path: str, parameters: Tree) -> tuple[int, str] | None:
    """The status and body answered to this key before, or None.

    Raises:
        StripeError: 400 idempotency_error, when the key was used for another request.
    """
    key = work.idempotency_key
    work.rows.execute("delete from idempotency where created <= ?", (work.now - KEPT_SECONDS,))
    first = work.rows.execute(
        "select path, fingerprint, status, body from idempotency where key = ?", (key,)
    ).fetchone()
    if first is None:
        return None
    advice = f"Try using a key other than '{key}' if you meant to execute a different request."
    if first[0] != path:
        raise StripeError(
            400,
            "idempotency_error",
            "Keys for idempotent requests can only be used for the same endpoint they were first"
            f" used for ('{path}' vs '{first[0]}'). {advice}",
        )
    if first[1] != fingerprint(parameters):
        raise StripeError(
            400,
            "idempotency_error",
            "Keys for idempotent requests can only be used with the same parameters they were first"
            f" used with. {advice}",
        )
    return first[2], first[3]


def remember(work: Work, path: str, parameters: Tree, status: int, body: str) -> None:
    """Keep the result of this work under its key."""
    work.rows.execute(
        "insert into idempotency values (?, ?, ?, ?, ?, ?)",
        (work.idempotency_key, work.now, path, fingerprint(parameters), status, body),
    )
