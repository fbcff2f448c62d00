"""What people are told, how they want to be told, and addresses that are not written to."""

import json

from chalicelib.core import db
from chalicelib.kernel.notifications import service as notifications
from chalicelib.kernel.notifications.preferences import service as preferences
from chalicelib.products.marketplace.events import DOMAIN_LAPSED
from tests.faults.described.scene import Call, Scene, described
from tests.support.people import Person


def told(who: Person) -> str:
    """A notification of somebody's; its id."""
    db.write(
        lambda unit: notifications.notify(
            unit, who.id, product="marketplace", kind=DOMAIN_LAPSED.kind
        )
    )
    identifier: str = who.api.get("/v1/notifications").json["items"][0]["id"]
    return identifier


def bounced(scene: Scene, who: Person) -> None:
    """Mail to somebody came back: it is not written to their address any more."""
    recipients = [{"emailAddress": who.email}]
    bounce = {"bounceType": "Permanent", "bouncedRecipients": recipients}
    message = {"notificationType": "Bounce", "bounce": bounce}
    assert scene.world.cloud.take("ses-feedback", [json.dumps(message)]) == []


@described("notifications_inbox_inbox", reach="nobody")
def inbox(scene: Scene) -> Call:
    """What one was told."""
    who = scene.person()
    told(who)
    return Call(by=who, query={"product": "marketplace", "unread": "true"})


@described("notifications_inbox_unread", reach="nobody")
def unread(scene: Scene) -> Call:
    """How much one has not read."""
    who = scene.person()
    told(who)
    return Call(by=who)


@described("notifications_inbox_read_all", reach="nobody")
def read_all(scene: Scene) -> Call:
    """Mark everything as read."""
    who = scene.person()
    told(who)
    return Call(by=who)


@described("notifications_inbox_read", reach="owner")
def read(scene: Scene) -> Call:
    """Mark a notification as read."""
    who = scene.person()
    return Call(by=who, path={"notification_id": told(who)})


@described("notifications_inbox_remove", reach="owner")
def remove(scene: Scene) -> Call:
    """Remove a notification."""
    who = scene.person()
    return Call(by=who, path={"notification_id": told(who)})


@described("notifications_preferences_preferences", reach="nobody")
def own_preferences(scene: Scene) -> Call:
    """How one wants to be told."""
    return Call(by=scene.person())


@described("notifications_preferences_switch", reach="nobody")
def switch(scene: Scene) -> Call:
    """Be told of something by mail no more."""
    path = {"kind": DOMAIN_LAPSED.kind, "channel": "mail"}
    return Call(by=scene.person(), path=path, body={"enabled": False})


@described("notifications_preferences_unsubscribe", reach="token")
def unsubscribe(scene: Scene) -> Call:
    """Stop a kind of mail by the link in one of them."""
    who = scene.person()
    token = preferences.unsubscribe_token(who.id, DOMAIN_LAPSED.kind)
    return Call(path={"token": token}, owner=who)


@described("notifications_suppressions_lift", reach="staff")
def lift(scene: Scene) -> Call:
    """Staff have an address written to again."""
    other = scene.person()
    bounced(scene, other)
    staff = scene.staff_for("notifications_suppressions_lift")
    return Call(by=staff, path={"user_id": other.id}, owner=other)
