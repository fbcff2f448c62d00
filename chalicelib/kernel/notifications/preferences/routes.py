"""By which channels one is told of what."""

from typing import Annotated

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Anonymous, Rate, User
from chalicelib.core.paging import Page
from chalicelib.kernel.notifications.errors import NotOptional
from chalicelib.kernel.notifications.preferences import service
from chalicelib.kernel.notifications.schemas import (
    Channel,
    ChannelPreference,
    Kind,
    Preference,
    Unsubscribed,
    Wish,
)

bp = Blueprint(__name__)

UnsubscribeToken = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{20,400}$", examples=["x" * 40])]

# What mail programs send (RFC 8058), and what a page of ours does.
_ONE_CLICK = ("application/x-www-form-urlencoded", "multipart/form-data", "application/json")


@endpoint(bp, "GET", "/v1/notifications/preferences", caller=User)
def preferences(db: Connection, caller: Caller) -> Page[Preference]:
    """Every kind of thing one may be told, and by which channels one is."""
    return service.preferences(db, caller)


@endpoint(
    bp,
    "PUT",
    "/v1/notifications/preferences/{kind}/{channel}",
    caller=User,
    errors=(NotFound, NotOptional),
)
def switch(
    db: Connection, caller: Caller, kind: Kind, channel: Channel, body: Wish
) -> ChannelPreference:
    """Be told of a kind of thing by a channel, or no more."""
    return service.switch(db, caller.id, kind, channel, enabled=body.enabled)


@endpoint(
    bp,
    "POST",
    "/v1/notifications/unsubscribes/{token}",
    caller=Anonymous,
    rates=(Rate(60, 60),),
    errors=(NotFound,),
    content_types=_ONE_CLICK,
)
def unsubscribe(db: Connection, token: UnsubscribeToken) -> Unsubscribed:
    """Stop a kind of mail by the link in one of them; looking at the link (GET) changes nothing."""
    return service.unsubscribe(db, token)
