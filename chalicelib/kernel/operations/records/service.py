"""What was done, from the audit log, and which events have still to be heard."""

from chalicelib.core import paging
from chalicelib.core.db import Connection
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.operations.records import queries
from chalicelib.kernel.operations.schemas import AuditLine, AuditQuery, Backlog


def audit_log(db: Connection, query: AuditQuery) -> Json[Page[AuditLine]]:
    """Who did what to whose, newest first."""
    subject, actor_id = query.subject, query.actor_id
    if subject is not None:
        return paging.page(db, queries.OF_SUBJECT, query, subject=subject, actor_id=actor_id)
    if actor_id is not None:
        return paging.page(db, queries.BY_ACTOR, query, actor_id=actor_id)
    return paging.page(db, queries.ALL, query)


def backlog(db: Connection) -> Page[Backlog]:
    """The events that somebody has still to hear, by topic."""
    items = [
        Backlog(topic=topic, waiting=waiting, oldest_at=oldest, most_attempts=attempts)
        for topic, waiting, oldest, attempts in db.all(queries.BACKLOG)
    ]
    return Page[Backlog](items=items, next_cursor=None)
