"""Every statement on preferences, and the clause the others ask."""

from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Text,
    Uuid,
    bindparam,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core.statements import command, statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.notifications.tables import preferences

NOW = bindparam("now", type_=DateTime(timezone=True))
_USER = bindparam("user_id", type_=Uuid)


def wanted(
    user_id: ColumnElement[Any], kind: ColumnElement[Any], channel: str
) -> ColumnElement[bool]:
    """Whether a person has not switched a kind off for a channel."""
    return ~(
        select(literal(1))
        .where(
            preferences.c.user_id == user_id,
            preferences.c.kind == kind,
            preferences.c.channel == channel,
            ~preferences.c.enabled,
        )
        .exists()
    )


SWITCHED = statement(
    select(preferences.c.kind, preferences.c.channel, preferences.c.enabled).where(
        preferences.c.user_id == _USER
    )
)
_wish = insert(preferences).from_select(
    ["user_id", "kind", "channel", "enabled", "updated_at"],
    select(
        _USER,
        bindparam("kind", type_=Text),
        bindparam("channel", type_=Text),
        bindparam("enabled", type_=Boolean),
        NOW,
    ).where(accounts.stands(_USER)),
)
SWITCH = command(
    _wish.on_conflict_do_update(
        index_elements=[preferences.c.user_id, preferences.c.kind, preferences.c.channel],
        set_={"enabled": _wish.excluded.enabled, "updated_at": _wish.excluded.updated_at},
    )
)
