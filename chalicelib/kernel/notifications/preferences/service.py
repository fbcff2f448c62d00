"""By which channels people are told of what; everything that may be, until they say otherwise."""

from uuid import UUID

from chalicelib.core import clock, signatures
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page
from chalicelib.kernel.notifications.errors import NotOptional
from chalicelib.kernel.notifications.events import notice_of, notices
from chalicelib.kernel.notifications.preferences import queries
from chalicelib.kernel.notifications.schemas import (
    Channel,
    ChannelPreference,
    Preference,
    Unsubscribed,
)

_PURPOSE = "notifications.unsubscribe"


def preferences(db: Connection, caller: Caller) -> Page[Preference]:
    """Every kind of thing the caller may be told, and by which channels they are."""
    rows = db.all(queries.SWITCHED, user_id=caller.id)
    switched = {(kind, channel): enabled for kind, channel, enabled in rows}
    told = [
        Preference(
            kind=one.kind,
            description=one.description,
            optional=one.optional,
            channels=[
                ChannelPreference(
                    channel=channel,
                    enabled=not one.optional or switched.get((one.kind, channel), True),
                )
                for channel in one.channels
            ],
        )
        for one in notices()
    ]
    return Page[Preference](items=told, next_cursor=None)


def switch(
    db: Connection, user_id: UUID, kind: str, channel: Channel, *, enabled: bool
) -> ChannelPreference:
    """Be told of a kind of thing by a channel, or no more.

    NotFound for a kind or channel there isn't, NotOptional for what everybody has to be told.
    """
    # Who asks comes before what there is.
    db.settle()
    told = notice_of(kind)
    if told is None or channel not in told.channels:
        raise NotFound
    if not told.optional:
        raise NotOptional
    db.run(
        queries.SWITCH,
        user_id=user_id,
        kind=kind,
        channel=channel,
        enabled=enabled,
        now=clock.now(),
    )
    return ChannelPreference(channel=channel, enabled=enabled)


def unsubscribe_token(user_id: UUID, kind: str) -> str:
    """What in a mail's link stops mails of its kind to its reader."""
    return signatures.sign(_PURPOSE, f"{user_id}:{kind}")


def unsubscribe(db: Connection, token: str) -> Unsubscribed:
    """Stop a kind of mail for whom the token names; NotFound for a token we did not make."""
    told = signatures.signed_text(_PURPOSE, token)
    if told is None:
        raise NotFound
    user_id, _, kind = told.partition(":")
    switch(db, UUID(user_id), kind, "mail", enabled=False)
    return Unsubscribed(kind=kind)
