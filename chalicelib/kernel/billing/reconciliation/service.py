"""Once a day what the provider has is compared with what we have, and what was lost is made good.

Each of its lists is read from the newest back to some days before the last comparison. Sessions,
refunds and disputes are applied as their webhooks would be, which changes nothing where nothing is
missing; events that never came are put into the inbox. Where a run ends, the next one goes on.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from chalicelib.core import clock, log
from chalicelib.core.db import Connection, Transactions
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts import service as checkouts
from chalicelib.kernel.billing.checkouts.errors import PaidTwice
from chalicelib.kernel.billing.disputes import service as disputes
from chalicelib.kernel.billing.gateways import service as gateways
from chalicelib.kernel.billing.gateways.service import Account
from chalicelib.kernel.billing.reconciliation import queries
from chalicelib.kernel.billing.refunds import service as refunds
from chalicelib.kernel.billing.reversals import service as reversals
from chalicelib.kernel.billing.webhooks import service as webhooks

LOOK_BACK = timedelta(days=4)
"""Longer than Stripe itself tries to send an event."""
LONGEST_SECONDS = 90

RESOURCES = ("sessions", "refunds", "disputes", "events")
"""What is sold before what is given back."""


class Place(NamedTuple):
    """Where in a list a comparison stands; without a cursor it is at the end."""

    since: datetime
    until: datetime
    cursor: str | None


def reconcile(transactions: Transactions, now: datetime) -> int:
    """Compare the provider's lists with ours until they end or time is up; how many objects."""
    ends = time.perf_counter() + LONGEST_SECONDS
    known = [gateways.environment(), *transactions.read(gateways.accounts)]
    return sum(
        _compare(transactions, account, resource, now, ends)
        for account in known
        if account.key
        for resource in RESOURCES
    )


def _compare(
    transactions: Transactions, account: Account, resource: str, now: datetime, ends: float
) -> int:
    place, seen = transactions.read(_begin, account, resource, now), 0
    while time.perf_counter() < ends:
        part = gateway.recent(account.key, resource, place.since, place.cursor)
        for one in part.items:
            _heal(transactions, account, resource, one)
        seen += len(part.items)
        place = place._replace(cursor=part.cursor)
        transactions.write(_keep, account, resource, place)
        if part.cursor is None:
            break
    return seen


def _begin(db: Connection, account: Account, resource: str, now: datetime) -> Place:
    row = db.one(queries.PLACE, account=_name(account), resource=resource)
    if row is None:
        return Place(now - LOOK_BACK, now, None)
    kept = Place(*row)
    return kept if kept.cursor else Place(kept.until - LOOK_BACK, now, None)


def _keep(db: Connection, account: Account, resource: str, place: Place) -> None:
    db.run(
        queries.KEEP,
        account=_name(account),
        resource=resource,
        updated_at=clock.now(),
        **place._asdict(),
    )


def _name(account: Account) -> str:
    return str(account.gateway_id or "environment")


def _heal(transactions: Transactions, account: Account, resource: str, one: Any) -> None:
    """Apply one object. What fails stays as it is, is logged, and comes again the next day."""
    effects: dict[str, Callable[..., object]] = {
        "sessions": partial(checkouts.apply_session, session=one),
        "refunds": partial(refunds.apply_refund, told=one),
        "disputes": partial(disputes.apply_dispute, told=one),
        "events": partial(webhooks.store, account=account, event=one),
    }
    try:
        try:
            reversals.apply(transactions, account.key, effects[resource])
        except PaidTwice as twice:
            refunds.return_second(transactions, account.key, twice)
    except Exception as error:  # noqa: BLE001  one bad object must not hold up the others
        log.line("reconcile_failed", resource=resource, error=log.frames(error))
