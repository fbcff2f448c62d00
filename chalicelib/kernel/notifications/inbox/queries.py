"""Every statement on what a person was told in the app."""

from typing import Any

from sqlalchemy import DateTime, Text, Uuid, bindparam, delete, func, select, update

from chalicelib.core.paging import Narrowed
from chalicelib.core.statements import command, json_object
from chalicelib.kernel.notifications.tables import notifications

NOW = bindparam("now", type_=DateTime(timezone=True))
_CALLER = bindparam("caller", type_=Uuid)
_this: Any = (notifications.c.id == bindparam("notification_id", type_=Uuid)) & (
    notifications.c.user_id == _CALLER
)

_shown = (
    notifications.c.id,
    notifications.c.product,
    notifications.c.kind,
    notifications.c.priority,
    notifications.c.subject_kind,
    notifications.c.subject_id,
    notifications.c.title,
    notifications.c.body,
    notifications.c.read_at,
    notifications.c.created_at,
)

INBOX = Narrowed(
    select(*_shown).where(notifications.c.user_id == _CALLER),
    notifications.c.id,
    unread={True: notifications.c.read_at.is_(None), False: notifications.c.read_at.is_not(None)},
    product=notifications.c.product == bindparam("product", type_=Text),
)
UNREAD = json_object(
    select(func.count().label("unread")).where(
        notifications.c.user_id == _CALLER, notifications.c.read_at.is_(None)
    )
)
READ = json_object(
    select(
        update(notifications)
        .where(_this)
        .values(read_at=func.coalesce(notifications.c.read_at, NOW))
        .returning(*_shown)
        .cte("read")
    )
)
READ_ALL = command(
    update(notifications)
    .where(notifications.c.user_id == _CALLER, notifications.c.read_at.is_(None))
    .values(read_at=NOW)
)
REMOVE = command(delete(notifications).where(_this))
