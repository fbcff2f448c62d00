"""Every statement on the audit log, and on events that wait."""

from typing import Any

from sqlalchemy import ColumnElement, Text, Uuid, bindparam, func, or_, select

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import statement
from chalicelib.core.tables import audit_log, outbox

_SUBJECT = bindparam("subject", type_=Text)
_ACTOR = bindparam("actor_id", type_=Uuid)

_pairs = func.jsonb_each_text(audit_log.c.detail).table_valued("key", "value")
_detail = (
    select(
        func.coalesce(
            func.json_agg(func.json_build_object("name", _pairs.c.key, "value", _pairs.c.value)),
            func.json_build_array(),
        )
    )
    .select_from(_pairs)
    .scalar_subquery()
    .label("detail")
)


def _lines(*conditions: ColumnElement[Any]) -> PagedStatement:
    return PagedStatement(
        select(
            audit_log.c.id,
            audit_log.c.actor_id,
            audit_log.c.action,
            audit_log.c.subject,
            _detail,
            audit_log.c.at,
        ).where(*conditions),
        audit_log.c.id,
    )


# Each by the index that fits it.
ALL = _lines()
OF_SUBJECT = _lines(
    audit_log.c.subject == _SUBJECT, or_(_ACTOR.is_(None), audit_log.c.actor_id == _ACTOR)
)
BY_ACTOR = _lines(audit_log.c.actor_id == _ACTOR)

BACKLOG = statement(
    select(
        outbox.c.topic,
        func.count(),
        func.min(outbox.c.created_at),
        func.max(outbox.c.attempts),
    )
    .where(outbox.c.done_at.is_(None))
    .group_by(outbox.c.topic)
    .order_by(outbox.c.topic.asc())
)
