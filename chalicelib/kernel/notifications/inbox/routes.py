"""What one was told in the app."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import User
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.notifications.inbox import service
from chalicelib.kernel.notifications.schemas import (
    Notification,
    NotificationQuery,
    ReadAll,
    Unread,
)

bp = Blueprint(__name__)


@endpoint(bp, "GET", "/v1/notifications", caller=User)
def inbox(db: Connection, caller: Caller, query: NotificationQuery) -> Json[Page[Notification]]:
    """What one was told, newest first."""
    return service.inbox(db, caller, query)


@endpoint(bp, "GET", "/v1/notifications/unread", caller=User)
def unread(db: Connection, caller: Caller) -> Json[Unread]:
    """How many notifications one has not read."""
    return service.unread(db, caller)


@endpoint(bp, "POST", "/v1/notifications/read", caller=User)
def read_all(db: Connection, caller: Caller) -> ReadAll:
    """Mark everything as read."""
    return service.read_all(db, caller)


@endpoint(bp, "POST", "/v1/notifications/{notification_id}/read", caller=User, errors=(NotFound,))
def read(db: Connection, caller: Caller, notification_id: UUID) -> Json[Notification]:
    """Mark a notification as read."""
    return service.read(db, caller, notification_id)


@endpoint(
    bp,
    "DELETE",
    "/v1/notifications/{notification_id}",
    caller=User,
    status=204,
    errors=(NotFound,),
)
def remove(db: Connection, caller: Caller, notification_id: UUID) -> None:
    """Remove a notification."""
    service.remove(db, caller, notification_id)
