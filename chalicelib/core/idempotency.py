"""Idempotency keys: an attempt that is repeated gets the first one's answer, and no second effect.

The key's row is inserted in the work's own transaction, so the two stand or fall together. A twin
waits for it on the primary key, until the lock timeout answers 409.
"""

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, bindparam, delete, literal_column, update
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core import clock
from chalicelib.core.db import Connection, Prelude
from chalicelib.core.errors import (
    Conflict,
    FieldProblem,
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
    ValidationFailed,
)
from chalicelib.core.operations import Operation
from chalicelib.core.statements import Statement, command, statement
from chalicelib.core.tables import idempotency_keys as keys

# Longer than our own longest retry: SQS keeps a message 14 days, and a dead letter may be resent.
LIFE = timedelta(days=30)
# A call to a provider that has not ended by then was cut off, and may be taken up again.
ABANDONED_AFTER = timedelta(seconds=35)

_FORM = re.compile(r"[\x21-\x7e]{1,255}")

_this_key = (keys.c.owner == bindparam("key_owner")) & (keys.c.key == bindparam("key_name"))

CLAIM = statement(
    insert(keys)
    .on_conflict_do_update(index_elements=[keys.c.owner, keys.c.key], set_={"owner": keys.c.owner})
    .returning(
        literal_column("(xmax = 0)", Boolean),
        keys.c.operation,
        keys.c.request_hash,
        keys.c.state,
        keys.c.status,
        keys.c.body,
        keys.c.created_at,
    )
)
STORE = command(
    update(keys)
    .where(_this_key)
    .values(state="done", status=bindparam("answer_status"), body=bindparam("answer_body"))
)
_this_claim = (
    _this_key & (keys.c.state == "running") & (keys.c.created_at == bindparam("claimed_at"))
)
RELEASE = command(delete(keys).where(_this_claim))
ABANDON = command(update(keys).where(_this_claim).values(state="abandoned"))


class Replayed(Exception):
    """The attempt was made before; this is the answer it got."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__("replayed")
        self.status, self.body = status, body


class Attempt:
    """A client's attempt: its owner, its key, and a hash of what it asks for."""

    def __init__(self, operation: Operation, owner: str, key: str | None, request: bytes) -> None:
        if key is None:
            raise IdempotencyKeyRequired
        if not _FORM.fullmatch(key):
            problem = FieldProblem(
                "header.Idempotency-Key", "invalid", "1 to 255 visible ASCII characters"
            )
            raise ValidationFailed(problems=(problem,))
        self.operation, self.owner, self.key = operation, owner, key
        self._claimed_at: datetime | None = None
        self.request_hash = hashlib.sha256(operation.name.encode() + b"\n" + request).hexdigest()

    def prelude(self) -> Prelude[Any]:
        """Claim the key; Replayed, IdempotencyKeyReused or Conflict when it was claimed before."""
        now = self._claimed_at = clock.now()
        given = {
            "owner": self.owner,
            "key": self.key,
            "operation": self.operation.name,
            "request_hash": self.request_hash,
            "state": "running",
            "status": None,
            "body": None,
            "created_at": now,
            "expires_at": now + LIFE,
        }
        return Prelude(CLAIM, given, lambda row: self._check(row, now))

    def _check(self, row: tuple[Any, ...] | None, now: datetime) -> None:
        if row is None:
            raise Conflict
        fresh, operation, request_hash, state, status, body, created_at = row
        if fresh:
            return
        if (operation, request_hash) != (self.operation.name, self.request_hash):
            raise IdempotencyKeyReused
        if not self.operation.stores_answer:
            return
        if state == "done":
            raise Replayed(status, body)
        if state == "running" and now - created_at < ABANDONED_AFTER:
            raise Conflict("the first attempt is still under way")

    def store(self, db: Connection, status: int, body: str) -> None:
        """Keep the answer, in the flush of COMMIT."""
        kept = body if self.operation.stores_answer else ""
        db.later(
            STORE,
            key_owner=self.owner,
            key_name=self.key,
            answer_status=status,
            answer_body=kept,
        )

    def release(self, db: Connection) -> None:
        """Let the key be used again: the attempt was refused, and a 4xx is not stored."""
        self._let_go(db, RELEASE)

    def abandon(self, db: Connection) -> None:
        """Let the same attempt be taken up again at once: it failed, perhaps halfway."""
        self._let_go(db, ABANDON)

    def _let_go(self, db: Connection, how: Statement[tuple[()]]) -> None:
        """Only a claim of this very attempt goes: one that a twin holds is the twin's."""
        if self._claimed_at is not None:
            db.run(how, key_owner=self.owner, key_name=self.key, claimed_at=self._claimed_at)
