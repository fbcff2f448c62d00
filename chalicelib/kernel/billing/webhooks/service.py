"""Webhooks: verified on the raw bytes, stored under their id, applied afterwards from a fresh look.

A webhook only tells that something changed. What is applied is the object as the provider has it
now, so events that come twice, late or in another order all lead to the same state.
"""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from chalicelib.core import audit, clock, ids, log, outbox, paging
from chalicelib.core.auth import Caller
from chalicelib.core.config import config
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import NotFound
from chalicelib.core.http import RawRequest
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts import service as checkouts
from chalicelib.kernel.billing.checkouts.errors import OperatorNeeded, PaidTwice
from chalicelib.kernel.billing.disputes import service as disputes
from chalicelib.kernel.billing.errors import WebhookRefused
from chalicelib.kernel.billing.events import WebhookReceived
from chalicelib.kernel.billing.gateways import service as gateways
from chalicelib.kernel.billing.gateways.service import Account
from chalicelib.kernel.billing.refunds import service as refunds
from chalicelib.kernel.billing.reversals import service as reversals
from chalicelib.kernel.billing.schemas import Received
from chalicelib.kernel.billing.webhooks import queries
from chalicelib.kernel.billing.webhooks.gateway import Forged, verify
from chalicelib.kernel.billing.webhooks.schemas import WebhookEvent, WebhookEventQuery

FIRST_PAUSE = timedelta(minutes=1)
ATTEMPTS = 12
"""With doubling pauses this is two days and a half; then an operator has to look."""


KEEP_PAYLOADS = timedelta(days=30)

Effect = Callable[[Connection], bool]
"""What follows from an object as the provider has it; whether it is about something we sold."""


class Told(NamedTuple):
    """A stored event that waits to be applied."""

    kind: str
    object_id: str | None
    attempts: int
    gateway_id: UUID | None
    secret: bytes | None


def receive(db: Connection, raw: RawRequest) -> Received:
    """Store an event of Stripe's, once; WebhookRefused for anything Stripe did not sign for us."""
    try:
        account = _signer(db, raw)
        event = json.loads(raw.body)
        event_id, kind, live = event["id"], event["type"], event["livemode"]
        json.dumps(event, ensure_ascii=False).encode()  # lone surrogates have no form to be kept in
    except (Forged, ValueError, KeyError, TypeError, RecursionError) as error:
        raise WebhookRefused from error
    if live is not config().stripe_live or not (
        isinstance(event_id, str) and isinstance(kind, str)
    ):
        raise WebhookRefused
    store(db, account, event)
    return Received()


def _signer(db: Connection, raw: RawRequest) -> Account:
    """Whose secret signed it: the environment's, or a gateway row's; Forged if nobody's."""
    signature = raw.headers.get("stripe-signature")
    own = gateways.environment()
    try:
        verify(raw.body, signature, own.webhook_secrets)
    except Forged:
        for account in gateways.accounts(db):
            try:
                verify(raw.body, signature, account.webhook_secrets)
            except Forged:
                continue
            return account
        raise
    return own


def store(db: Connection, account: Account, event: dict[str, Any]) -> bool:
    """Put an event into the inbox, unless it is there; whether it was new."""
    now = clock.now()
    row = db.one(
        queries.RECEIVE,
        id=ids.uuid7(),
        gateway="stripe",
        gateway_id=account.gateway_id,
        event_id=event["id"],
        type=event["type"],
        payload=event,
        state="pending",
        attempts=0,
        # The schedule takes it up if the queue has not done so by then.
        next_attempt_at=now + FIRST_PAUSE,
        error=None,
        processed_at=None,
        scrubbed_at=None,
        created_at=now,
    )
    if row is not None:
        outbox.publish(db, WebhookReceived(row[0]))
    return row is not None


def process(transactions: Transactions, webhook_id: UUID) -> bool:
    """Apply a stored event; whether it is settled. A failure is kept and tried again later."""
    told = transactions.read(_pending, webhook_id)
    if told is None:
        return True
    try:
        key = gateways.key_of(told.gateway_id, told.secret)
        settled = partial(_settle, webhook_id=webhook_id, effect=_effect(key, told))
        try:
            if not reversals.apply(transactions, key, settled):
                transactions.write(_settle, webhook_id, None)
        except PaidTwice as twice:
            refunds.return_second(transactions, key, twice)
            transactions.write(_settle, webhook_id, _is_returned)
    except Exception as error:  # noqa: BLE001  it stays visible on its row, others go on
        log.line("webhook_failed", webhook_id=str(webhook_id), error=log.frames(error))
        transactions.write(_keep_failure, webhook_id, told.attempts + 1, error)
        return False
    return True


def _is_returned(_db: Connection) -> bool:
    """What follows from a second payment once it went back: nothing more."""
    return True


def _pending(db: Connection, webhook_id: UUID) -> Told | None:
    row = db.one(queries.PENDING, webhook_id=webhook_id)
    return Told(*row) if row else None


def _apply_refunds(db: Connection, found: list[gateway.Refund]) -> bool:
    applied = [refunds.apply_refund(db, one) for one in found]
    return any(applied)


def _record_failures(db: Connection, found: list[gateway.Failure]) -> bool:
    recorded = [checkouts.record_failure(db, one) for one in found]
    return any(recorded)


_FETCHED: dict[str, Callable[[str, str], Effect]] = {
    "checkout.session.": lambda key, named: partial(
        checkouts.apply_session, session=gateway.session(key, named)
    ),
    "refund.": lambda key, named: partial(refunds.apply_refund, told=gateway.refund(key, named)),
    "charge.refunded": lambda key, named: partial(
        _apply_refunds, found=gateway.refunds_of(key, charge=named)
    ),
    "charge.dispute.": lambda key, named: partial(
        disputes.apply_dispute, told=gateway.dispute(key, named)
    ),
    "payment_intent.payment_failed": lambda key, named: partial(
        _record_failures, found=gateway.failures(key, named)
    ),
}
"""What follows from an object of the kind of events that begin so, fetched when it is asked."""


def _effect(key: str, told: Told) -> Effect | None:
    """Fetch what an event is about, and say what follows from it; None if nothing does."""
    for kind, fetch in _FETCHED.items():
        if told.kind.startswith(kind) and told.object_id is not None:
            return fetch(key, told.object_id)
    return None


def _settle(db: Connection, webhook_id: UUID, effect: Effect | None) -> None:
    """Do the effect and note it, unless a twin just did: the row is claimed first."""
    now = clock.now()
    row = db.one(queries.SETTLE, webhook_id=webhook_id, outcome="processed", now=now)
    if row is None:
        return
    if effect is None or not effect(db):
        db.later(queries.SETTLE_AS_IGNORED, webhook_id=webhook_id)


def _keep_failure(db: Connection, webhook_id: UUID, tried: int, error: Exception) -> None:
    """Have it tried again, or parked where an operator looks: no further try mends some failures."""
    in_vain = isinstance(error, OperatorNeeded)
    db.run(
        queries.FAIL,
        webhook_id=webhook_id,
        outcome="failed" if in_vain or tried >= ATTEMPTS else "pending",
        tried=tried,
        again_at=clock.now() + FIRST_PAUSE * 2 ** (tried - 1),
        reason=type(error).__name__,
    )


def process_due(transactions: Transactions, now: datetime) -> int:
    """Work on the events that are due: those the queue lost, and those that failed before."""
    due = transactions.read(_due, now)
    return sum(process(transactions, webhook_id) for webhook_id in due)


def _due(db: Connection, now: datetime) -> list[UUID]:
    return [row[0] for row in db.all(queries.DUE, now=now)]


def events(db: Connection, query: WebhookEventQuery) -> Json[Page[WebhookEvent]]:
    """What providers told, newest first."""
    return paging.narrowed_page(db, queries.EVENTS, query)


def replay(db: Connection, caller: Caller, webhook_id: UUID) -> Json[WebhookEvent]:
    """Apply an event once more, from a fresh look; NotFound. What was done is not done twice."""
    again_at = clock.now() + FIRST_PAUSE
    replayed = db.json(queries.REPLAY, webhook_id=webhook_id, again_at=again_at)
    if replayed is None:
        raise NotFound
    audit.record(db, caller.id, "billing.replay_webhook", f"billing.webhook_events:{webhook_id}")
    outbox.publish(db, WebhookReceived(webhook_id))
    return replayed


def scrub(db: Connection, now: datetime) -> int:
    """Leave nothing but ids of a batch of old payloads; how many."""
    return db.run(queries.SCRUB, before=now - KEEP_PAYLOADS, now=now)
