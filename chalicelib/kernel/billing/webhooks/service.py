"""Webhooks: verified on the raw bytes, stored under their id, applied afterwards from a fresh look.

A webhook only tells that something changed. What is applied is the object as the provider has it
now, so events that come twice, late or in another order all lead to the same state.
"""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chalicelib.core import clock, ids, log, outbox
from chalicelib.core.config import config
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.http import RawRequest
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts import service as checkouts
from chalicelib.kernel.billing.errors import WebhookRefused
from chalicelib.kernel.billing.events import WebhookReceived
from chalicelib.kernel.billing.schemas import Received
from chalicelib.kernel.billing.webhooks import queries

FIRST_PAUSE = timedelta(minutes=1)
ATTEMPTS = 12
"""With doubling pauses this is two days and a half; then an operator has to look."""


def receive(db: Connection, raw: RawRequest) -> Received:
    """Store an event of Stripe's, once; WebhookRefused for anything Stripe did not sign for us."""
    try:
        gateway.verify(raw.body, raw.headers.get("stripe-signature"))
        event = json.loads(raw.body)
        event_id, kind, live = event["id"], event["type"], event["livemode"]
    except (gateway.Forged, ValueError, KeyError, TypeError) as error:
        raise WebhookRefused from error
    if live is not config().stripe_live or not (
        isinstance(event_id, str) and isinstance(kind, str)
    ):
        raise WebhookRefused
    now = clock.now()
    row = db.one(
        queries.RECEIVE,
        id=ids.uuid7(),
        gateway="stripe",
        event_id=event_id,
        type=kind,
        payload=event,
        state="pending",
        attempts=0,
        # The schedule takes it up if the queue has not done so by then.
        next_attempt_at=now + FIRST_PAUSE,
        error=None,
        processed_at=None,
        created_at=now,
    )
    if row is not None:
        outbox.publish(db, WebhookReceived(row[0]))
    return Received()


def process(transactions: Transactions, webhook_id: UUID) -> bool:
    """Apply a stored event; whether it is settled. A failure is kept and tried again later."""
    told = transactions.read(_pending, webhook_id)
    if told is None:
        return True
    kind, object_id, attempts = told
    try:
        _apply(transactions, webhook_id, kind, object_id)
    except Exception as error:  # noqa: BLE001  it stays visible on its row, others go on
        log.line("webhook_failed", webhook_id=str(webhook_id), error=log.frames(error))
        transactions.write(_keep_failure, webhook_id, attempts + 1, type(error).__name__)
        return False
    return True


def _pending(db: Connection, webhook_id: UUID) -> tuple[str, str, int] | None:
    return db.one(queries.PENDING, webhook_id=webhook_id)


def _apply(transactions: Transactions, webhook_id: UUID, kind: str, object_id: str) -> None:
    if kind.startswith("checkout.session."):
        session = gateway.session(object_id)
        transactions.write(_settle, webhook_id, checkouts.apply_session, session)
    elif kind == "payment_intent.payment_failed" and (failed := gateway.failure(object_id)):
        transactions.write(_settle, webhook_id, checkouts.record_failure, failed)
    else:
        transactions.write(_settle, webhook_id, None, None)


def _settle(db: Connection, webhook_id: UUID, effect: Any, argument: Any) -> None:
    """Do the effect and note it, unless a twin just did: the row is claimed first."""
    now = clock.now()
    row = db.one(queries.SETTLE, webhook_id=webhook_id, outcome="processed", now=now)
    if row is None:
        return
    if effect is None or not effect(db, argument):
        db.later(queries.SETTLE_AS_IGNORED, webhook_id=webhook_id)


def _keep_failure(db: Connection, webhook_id: UUID, tried: int, reason: str) -> None:
    db.run(
        queries.FAIL,
        webhook_id=webhook_id,
        outcome="failed" if tried >= ATTEMPTS else "pending",
        tried=tried,
        again_at=clock.now() + FIRST_PAUSE * 2 ** (tried - 1),
        reason=reason,
    )


def process_due(transactions: Transactions, now: datetime) -> int:
    """Work on the events that are due: those the queue lost, and those that failed before."""
    due = transactions.read(_due, now)
    return sum(process(transactions, webhook_id) for webhook_id in due)


def _due(db: Connection, now: datetime) -> list[UUID]:
    return [row[0] for row in db.all(queries.DUE, now=now)]
