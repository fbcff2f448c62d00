"""One piece of work: an API call, a click or the clock, in one transaction, and what it changes.

A change of an object and the event that tells of it are written here together.
"""

from dataclasses import dataclass

from local.stripe.errors import Json, resource_missing
from local.stripe.identifiers import new_id
from local.stripe.parameters import api_version
from local.stripe.store import Transaction

DELIVERY_MODE = "delivery_mode"
WEBHOOK_URL = "webhook_url"


@dataclass(frozen=True)
class Work:
    """What a change needs to know: the open transaction, the moment, and who asked."""

    rows: Transaction
    now: int
    public_url: str
    request_id: str | None = None
    idempotency_key: str | None = None


def find(work: Work, kind: str, identifier: str, *, param: str = "id") -> Json:
    """The object, which may be a deleted one.

    Raises:
        StripeError: resource_missing, naming the parameter that referred to it.
    """
    body = work.rows.find(kind, identifier)
    if body is None:
        status = 404 if param == "id" else 400
        raise resource_missing(kind, identifier, param=param, status=status)
    return body


def create(work: Work, body: Json, event: str | None, *, private: Json | None = None) -> Json:
    """Write a new object and its event, if it has one."""
    work.rows.put(body, due=_due(body), private=private or {})
    if event is not None:
        record_event(work, event, body)
    return body


def change(work: Work, body: Json, event: str | None, **changes: object) -> Json:
    """Write an object's changed fields, and an event with their values before."""
    before = {name: body.get(name) for name in changes if body.get(name) != changes[name]}
    changed = {**body, **changes}
    work.rows.put(changed, due=_due(changed))
    if event is not None:
        record_event(work, event, changed, before if event.endswith(".updated") else None)
    return changed


def _due(body: Json) -> int | None:
    """When time alone changes this object, in epoch seconds: an open session, an unpaid Pix."""
    if body["object"] == "checkout.session" and body["status"] == "open":
        return int(body["expires_at"])
    if body["object"] == "payment_intent" and body["status"] == "requires_action":
        return int(body["next_action"]["pix_display_qr_code"]["expires_at"])
    return None


def record_event(work: Work, event: str, body: Json, previous: Json | None = None) -> None:
    """Write an event with the object as it is now, and put it in line for delivery."""
    identifier = new_id("evt_1")
    data: Json = {"object": body}
    if previous is not None:
        data["previous_attributes"] = previous
    mode = work.rows.setting(DELIVERY_MODE) or "deliver"
    wanted = bool(work.rows.setting(WEBHOOK_URL)) and mode != "drop"
    work.rows.put(
        {
            "id": identifier,
            "object": "event",
            "api_version": api_version(),
            "created": work.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": int(wanted),
            "request": {"id": work.request_id, "idempotency_key": work.idempotency_key},
            "type": event,
        }
    )
    state = "dropped" if not wanted else "held" if mode == "hold" else "pending"
    work.rows.execute(
        "insert into deliveries (event, state, next_attempt) values (?, ?, 0)", (identifier, state)
    )
    work.rows.has_deliveries = True
