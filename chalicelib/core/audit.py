"""The audit log: who did what to whose, written with the deed."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import insert

from chalicelib.core import clock, ids
from chalicelib.core.db import Connection
from chalicelib.core.statements import command
from chalicelib.core.tables import audit_log

RECORD = command(insert(audit_log))


def record(
    db: Connection,
    actor_id: UUID | None,
    action: str,
    subject: str,
    detail: Mapping[str, str | int | bool | None] | None = None,
) -> None:
    """Write a line in the flush of COMMIT.

    `action` is `domain.verb` (`billing.refund`), `subject` is `schema.table:id`, `detail` holds ids,
    codes and numbers, never a name, an address or a text somebody wrote. `actor_id` is None for
    the system itself.
    """
    db.later(
        RECORD,
        id=ids.uuid7(),
        actor_id=actor_id,
        action=action,
        subject=subject,
        detail=dict(detail or {}),
        at=clock.now(),
    )
