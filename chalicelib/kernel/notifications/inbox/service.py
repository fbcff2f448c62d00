"""What a person was told in the app: listed, counted, read and removed."""

from uuid import UUID

from chalicelib.core import clock, paging
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.notifications.inbox import queries
from chalicelib.kernel.notifications.schemas import (
    Notification,
    NotificationQuery,
    ReadAll,
    Unread,
)


def inbox(db: Connection, caller: Caller, query: NotificationQuery) -> Json[Page[Notification]]:
    """What the caller was told, newest first."""
    return paging.narrowed_page(db, queries.INBOX, query, caller=caller.id)


def unread(db: Connection, caller: Caller) -> Json[Unread]:
    """How many the caller has not read."""
    counted = db.json(queries.UNREAD, caller=caller.id)
    if counted is None:
        raise RuntimeError("a count returned no row")
    return counted


def read(db: Connection, caller: Caller, notification_id: UUID) -> Json[Notification]:
    """Note that the caller read one, the first time; NotFound for somebody else's."""
    found = db.json(
        queries.READ, caller=caller.id, notification_id=notification_id, now=clock.now()
    )
    if found is None:
        raise NotFound
    return found


def read_all(db: Connection, caller: Caller) -> ReadAll:
    """Note that the caller has read whatever there is."""
    return ReadAll(read=db.run(queries.READ_ALL, caller=caller.id, now=clock.now()))


def remove(db: Connection, caller: Caller, notification_id: UUID) -> None:
    """Remove one of the caller's; NotFound otherwise."""
    if not db.run(queries.REMOVE, caller=caller.id, notification_id=notification_id):
        raise NotFound
