"""Revealing a contact: one credit, once for each person and post, free to look at again."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from chalicelib.core import clock, db, ids, outbox, paging, sealing
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.billing.checkouts import service as checkouts
from chalicelib.kernel.billing.errors import InsufficientCredits
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.kernel.notifications import service as notifications
from chalicelib.products.marketplace.errors import (
    ClaimedBack,
    OwnPost,
    PaymentReturned,
    RevealsUsedUp,
)
from chalicelib.products.marketplace.events import (
    CONTACT_REVEALED,
    REVEAL_CREDITED,
    ContactRevealed,
)
from chalicelib.products.marketplace.posts import service as posts
from chalicelib.products.marketplace.reveals import queries
from chalicelib.products.marketplace.schemas import PostReveal, Reveal, RevealedContact

PRICE_CREDITS = 1
SINGLE_REVEAL = "single_reveal"
KEEP_ALLOWANCES = timedelta(days=62)


def reveal_contact(unit: Connection, caller: Caller, post_id: UUID) -> RevealedContact:
    """Who is behind a post, for one contact credit; a second look is free.

    NotFound for a post the caller may not see, OwnPost, RevealsUsedUp, InsufficientCredits,
    ClaimedBack for one they returned, PaymentReturned. Two first looks at once: the second waits for
    the first, fails on the reveal's key or finds the last credit gone, and is done again.
    """
    now = clock.now()
    parameters = ledger.spend_parameters(
        caller.id, "contact", PRICE_CREDITS, key=f"reveal:{caller.id}:{post_id}", now=now
    )
    with (
        db.refused(db.UNIQUE_VIOLATION, "contact_reveals_pkey", db.Again()),
        db.refused(db.UNIQUE_VIOLATION, "credit_transfers_key", db.Again()),
    ):
        row = unit.one(
            queries.REVEAL,
            caller=caller.id,
            post_id=post_id,
            reveal_id=ids.uuid7(),
            **parameters,
        )
    if row is None:
        raise RuntimeError("the reveal always answers one row")
    author, counted, owner, sealed, wrapped_key, via, revealed_at, *gone, fresh = row
    if owner is None:
        if unit.one(queries.IS_REVEALED, caller=caller.id, post_id=post_id) == (True,):
            raise db.Again
        raise _refusal(caller, author, now, counted=bool(counted))
    claimed_back_at, withdrawn_at = gone
    if claimed_back_at is not None:
        raise ClaimedBack
    if withdrawn_at is not None:
        raise PaymentReturned
    if wrapped_key is None:
        raise NotFound("the author has left, and their contact with them")
    if fresh:
        _tell(unit, owner, post_id, caller.id)
    try:
        contact = posts.open_contact(accounts.data_key(owner, wrapped_key), post_id, sealed)
    except sealing.CannotOpen as error:
        raise NotFound from error
    return RevealedContact(
        post_id=post_id, contact_info=contact, revealed_via=via, revealed_at=revealed_at
    )


def _refusal(caller: Caller, author: UUID | None, now: datetime, *, counted: bool) -> Exception:
    if author is None:
        return NotFound()
    if author == caller.id:
        return OwnPost()
    if counted:
        return InsufficientCredits()
    local = now.astimezone(ZoneInfo(caller.state.time_zone))
    tomorrow = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return RevealsUsedUp(retry_after=max(1, int((tomorrow - local).total_seconds())))


def reveal_paid(unit: Connection, checkout_id: UUID) -> None:
    """Hand over a single reveal that was paid for; a credit instead if that can't be any more.

    It can't when the post is gone or hidden from the buyer, is their own, or was revealed before.
    """
    paid = checkouts.paid_checkout(unit, checkout_id)
    if paid is None or (paid.product, paid.purpose) != ("marketplace", SINGLE_REVEAL):
        return
    if not paid.stands:
        return
    row = unit.one(
        queries.REVEAL_PAID,
        reveal_id=ids.uuid7(),
        buyer=paid.user_id,
        post_id=paid.subject_id,
        payment_id=paid.payment_id,
        now=clock.now(),
    )
    if row is not None and paid.subject_id is not None:
        _tell(unit, row[0], paid.subject_id, paid.user_id)
        return
    key = f"single_reveal:{checkout_id}"
    ledger.grant(
        unit,
        paid.user_id,
        "contact",
        PRICE_CREDITS,
        key=key,
        reason="purchase",
        payment_id=paid.payment_id,
    )
    notifications.notify(unit, paid.user_id, product="marketplace", kind=REVEAL_CREDITED.kind)


def _tell(unit: Connection, owner: UUID, post_id: UUID, requester: UUID) -> None:
    outbox.publish(unit, ContactRevealed(post_id, requester))
    notifications.notify(
        unit,
        owner,
        product="marketplace",
        kind=CONTACT_REVEALED.kind,
        subject_kind="marketplace.post",
        subject_id=post_id,
    )


def revealed(unit: Connection, caller: Caller, query: PageQuery) -> Json[Page[Reveal]]:
    """The posts whose contact the caller has revealed, newest first."""
    return paging.page(unit, queries.REVEALED, query, caller=caller.id)


def reveals_of_post(
    unit: Connection, caller: Caller, post_id: UUID, query: PageQuery
) -> Json[Page[PostReveal]]:
    """Who revealed a post of the caller's, newest first; NotFound for anybody else's."""
    posts.require_own(unit, caller.id, post_id)
    return paging.page(unit, queries.REVEALS_OF_POST, query, caller=caller.id, post_id=post_id)


def forget_allowances(unit: Connection, now: datetime) -> int:
    """Drop a batch of the counts of days and months that are over; how many."""
    return unit.run(queries.FORGET_ALLOWANCES, before=(now - KEEP_ALLOWANCES).date())
