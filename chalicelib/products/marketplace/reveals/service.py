"""Revealing a contact: one credit, once for each person and post, free to look at again."""

from uuid import UUID

from chalicelib.core import clock, db, outbox, paging, sealing
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.billing.errors import InsufficientCredits
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.products.marketplace.errors import OwnPost
from chalicelib.products.marketplace.events import ContactRevealed
from chalicelib.products.marketplace.posts.service import open_contact
from chalicelib.products.marketplace.reveals import queries
from chalicelib.products.marketplace.schemas import Reveal, RevealedContact

PRICE_CREDITS = 1


def reveal_contact(unit: Connection, caller: Caller, post_id: UUID) -> RevealedContact:
    """Who is behind a post, for one contact credit; a second look is free.

    NotFound for a post the caller may not see, OwnPost, InsufficientCredits. Two first looks at
    once: the second waits for the wallet, fails on the reveal's key, and is done again.
    """
    parameters = ledger.spend_parameters(
        caller.id, "contact", PRICE_CREDITS, key=f"reveal:{caller.id}:{post_id}", now=clock.now()
    )
    with (
        db.refused(db.UNIQUE_VIOLATION, "contact_reveals_pkey", db.Again()),
        db.refused(db.UNIQUE_VIOLATION, "credit_transfers_key", db.Again()),
    ):
        row = unit.one(queries.REVEAL, caller=caller.id, post_id=post_id, **parameters)
    if row is None:
        raise RuntimeError("the reveal always answers one row")
    author, owner, sealed, wrapped_key, via, revealed_at, fresh = row
    if owner is None:
        raise _refusal(caller, author)
    if wrapped_key is None:
        raise NotFound("the author has left, and their contact with them")
    if fresh:
        outbox.publish(unit, ContactRevealed(post_id, caller.id))
    try:
        contact = open_contact(accounts.data_key(owner, wrapped_key), post_id, sealed)
    except sealing.CannotOpen as error:
        raise NotFound from error
    return RevealedContact(
        post_id=post_id, contact_info=contact, revealed_via=via, revealed_at=revealed_at
    )


def _refusal(caller: Caller, author: UUID | None) -> Exception:
    if author is None:
        return NotFound()
    return OwnPost() if author == caller.id else InsufficientCredits()


def revealed(unit: Connection, caller: Caller, query: PageQuery) -> Json[Page[Reveal]]:
    """The posts whose contact the caller has revealed, newest first."""
    return paging.page(unit, queries.REVEALED, query, caller=caller.id)
