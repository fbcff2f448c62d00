"""Taking webhooks as people write it who have not been lied to yet: faults for proofs to find."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import stripe

from chalicelib.core import clock, ids, outbox
from chalicelib.core.db import Connection
from chalicelib.core.http import RawRequest
from chalicelib.kernel.billing.events import WebhookReceived
from chalicelib.kernel.billing.gateways.service import Account
from chalicelib.kernel.billing.schemas import Received
from chalicelib.kernel.billing.webhooks import service
from chalicelib.kernel.billing.webhooks.gateway import TOLERANCE_SECONDS, Forged
from tests.faults.world import replaced
from tests.support import database
from tests.support.notes import sql

Check = Callable[[str, str, str], bool]

_SEEN = sql("select id from billing.webhook_events where event_id = :event_id", "id")
_INSERT = sql(
    "insert into billing.webhook_events (id, gateway, event_id, type, payload, state, attempts,"
    " next_attempt_at, created_at) values (:id, 'stripe', :event_id, :type, cast(:payload as jsonb),"
    " 'pending', 0, :now, :now)"
)
_IS_PENDING = sql(
    "select id from billing.webhook_events where id = :webhook_id and state = 'pending'", "id"
)
_DONE = sql("update billing.webhook_events set state = 'processed' where id = :webhook_id")


def _look_then_insert(unit: Connection, _account: Account, event: dict[str, Any]) -> bool:
    if unit.one(_SEEN, event_id=event["id"]) is not None:
        return False
    webhook_id = ids.uuid7()
    unit.run(
        _INSERT,
        id=webhook_id,
        event_id=event["id"],
        type=event["type"],
        payload=json.dumps(event),
        now=clock.now(),
    )
    outbox.publish(unit, WebhookReceived(webhook_id))
    return True


@contextmanager
def looking_then_inserting() -> Iterator[None]:
    """Whether an event is there is asked, and then it is inserted; no index minds."""
    ((made,),) = database.execute(
        "select pg_get_indexdef('billing.webhook_events_event_id'::regclass)"
    )
    database.execute("drop index billing.webhook_events_event_id")
    try:
        with replaced(service, "store", _look_then_insert):
            yield
    finally:
        database.execute("delete from billing.webhook_events")
        database.execute(str(made))


def looking_then_applying() -> AbstractContextManager[None]:
    """Whether an event waits is asked, then it is applied, then it is said that it was."""

    def settle(unit: Connection, webhook_id: UUID, effect: service.Effect | None) -> None:
        if unit.one(_IS_PENDING, webhook_id=webhook_id) is None:
            return
        if effect is not None:
            effect(unit)
        unit.run(_DONE, webhook_id=webhook_id)

    return replaced(service, "_settle", settle)


def _verifying(check: Check) -> AbstractContextManager[None]:
    """Take what a check of one's own takes."""

    def verify(body: bytes, signature: str | None, secrets: list[str]) -> None:
        try:
            text = body.decode()
            if not any(check(text, signature or "", secret) for secret in secrets):
                raise Forged
        except (ValueError, LookupError) as error:
            raise Forged from error

    return replaced(service, "verify", verify)


def _by_sdk(text: str, signature: str, secret: str, *, tolerance: int | None) -> bool:
    try:
        stripe.WebhookSignature.verify_header(text, signature, secret, tolerance)
    except stripe.SignatureVerificationError:
        return False
    return True


def _is_fresh(seconds: str) -> bool:
    return abs(clock.real_time().timestamp() - int(seconds)) <= TOLERANCE_SECONDS


def _by_hand(text: str, signature: str, secret: str, *, scheme: str = "v1") -> bool:
    told = dict(part.split("=", 1) for part in signature.split(","))
    mac = hmac.new(secret.encode(), f"{told['t']}.{text}".encode(), hashlib.sha256).hexdigest()
    claimed = told[scheme] if scheme else list(told.values())[-1]
    return _is_fresh(told["t"]) and hmac.compare_digest(mac.encode(), claimed.encode())


def whenever() -> AbstractContextManager[None]:
    """The signature is looked at, and not when it was made."""
    return _verifying(partial(_by_sdk, tolerance=None))


def in_the_future() -> AbstractContextManager[None]:
    """Whatever the SDK takes, which looks for what is too old."""
    return _verifying(partial(_by_sdk, tolerance=TOLERANCE_SECONDS))


def by_the_last_time() -> AbstractContextManager[None]:
    """Of two times in a header one is held against the clock, and the other against the signature."""

    def check(text: str, signature: str, secret: str) -> bool:
        told = dict(part.split("=", 1) for part in signature.split(","))
        return _is_fresh(told["t"]) and _by_sdk(text, signature, secret, tolerance=None)

    return _verifying(check)


def by_any_secret() -> AbstractContextManager[None]:
    """A secret that is empty is one like any other."""
    return _verifying(_by_hand)


def by_any_scheme() -> AbstractContextManager[None]:
    """The last of a header is its signature, whatever it is called."""
    return _verifying(partial(_by_hand, scheme=""))


def reserialised() -> AbstractContextManager[None]:
    """What is verified is not what came, but what was read from it, written anew."""

    def check(text: str, signature: str, secret: str) -> bool:
        written = json.dumps(json.loads(text), ensure_ascii=False)
        return _by_sdk(written, signature, secret, tolerance=TOLERANCE_SECONDS) and _is_fresh(
            signature.partition(",")[0].removeprefix("t=")
        )

    return _verifying(check)


def in_any_mode() -> AbstractContextManager[None]:
    """What is signed is taken, live or not."""

    def receive(unit: Connection, raw: RawRequest) -> Received:
        account = service._signer(unit, raw)  # noqa: SLF001  the signature is verified as ever
        service.store(unit, account, json.loads(raw.body))
        return Received()

    return replaced(service, "receive", receive)
