"""Giving contacts back: one that leads nowhere, and those of an author who has left."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from chalicelib.core import clock, db
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.kernel.billing.checkouts import service as checkouts
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.kernel.notifications import service as notifications
from chalicelib.products.marketplace.claims import queries
from chalicelib.products.marketplace.errors import ClaimedBack, ClaimsUsedUp, TooLateToClaim
from chalicelib.products.marketplace.events import CONTACT_CLAIMED_BACK
from chalicelib.products.marketplace.schemas import StaleClaim

_LONGEST_MONTH = timedelta(days=31)


def claim_stale(unit: Connection, caller: Caller, post_id: UUID) -> StaleClaim:
    """Return a contact that leads nowhere; what it cost comes back once, and its author is told.

    NotFound for what the caller did not reveal, ClaimedBack, TooLateToClaim, ClaimsUsedUp. Of two
    at once, one waits for the other and is refused as it would be later.
    """
    now = clock.now()
    row = unit.one(queries.CLAIM, caller=caller.id, post_id=post_id, now=now)
    if row is None:
        raise NotFound
    claimed_back_at, is_young, counted, owner, transfer_id, payment_id = row
    if claimed_back_at is not None:
        raise ClaimedBack
    if not is_young:
        raise TooLateToClaim
    if not counted:
        raise ClaimsUsedUp(retry_after=_seconds_left(caller, now))
    if owner is None:
        raise db.Again
    returned = _give_back(unit, caller.id, post_id, transfer_id, payment_id)
    notifications.notify(
        unit,
        owner,
        product="marketplace",
        kind=CONTACT_CLAIMED_BACK.kind,
        subject_kind="marketplace.post",
        subject_id=post_id,
    )
    return StaleClaim(post_id=post_id, claimed_back_at=now, credits_returned=returned)


def give_back_all_of(unit: Connection, author: UUID) -> None:
    """Return what was paid lately for the contacts of somebody who has left."""
    for row in unit.all(queries.CLAIM_ALL_OF, author=author, now=clock.now()):
        _give_back(unit, *row)


def settle_paid(unit: Connection, checkout_id: UUID) -> None:
    """Show a contact that was paid for directly while its payment stands."""
    paid = checkouts.paid_checkout(unit, checkout_id)
    if paid is not None:
        given = {"payment_id": paid.payment_id, "stands": paid.stands}
        unit.run(queries.SETTLE_PAID, **given, now=clock.now())


def _give_back(
    unit: Connection,
    requester: UUID,
    post_id: UUID,
    transfer_id: UUID | None,
    payment_id: UUID | None,
) -> int:
    """What a contact cost, as a credit: one that was paid for directly becomes one as well."""
    key = f"claimed_back:{requester}:{post_id}"
    if transfer_id is not None:
        return int(ledger.give_back(unit, transfer_id, key=key))
    if payment_id is None:
        return 0
    given = ledger.grant(
        unit, requester, "contact", 1, key=key, reason="purchase", payment_id=payment_id
    )
    return int(given)


def _seconds_left(caller: Caller, now: datetime) -> int:
    """Until the caller's month ends."""
    local = now.astimezone(ZoneInfo(caller.state.time_zone))
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + _LONGEST_MONTH).replace(day=1)
    return max(1, int((following - local).total_seconds()))
