"""Posts: paid for by the year, one active at a time, contact details sealed."""

from uuid import UUID

from chalicelib.core import clock, db, ids, paging, sealing
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound, NotSignedIn
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts import service as accounts
from chalicelib.products.marketplace.errors import ActivePostExists, PostingFeeNotPaid
from chalicelib.products.marketplace.posts import queries
from chalicelib.products.marketplace.schemas import Contact, Post, PostCreate, PostQuery


def create_post(unit: Connection, caller: Caller, data: PostCreate) -> Json[Post]:
    """Publish a post; PostingFeeNotPaid or ActivePostExists stand against it.

    Both rules are the statement's own: the fee its condition, the place a unique index.
    """
    row = unit.one(queries.WRAPPED_KEY, caller=caller.id)
    if row is None or row[0] is None:
        raise NotSignedIn
    post_id = ids.uuid7()
    key = accounts.data_key(caller.id, row[0])
    with db.refused(db.UNIQUE_VIOLATION, "posts_one_active", ActivePostExists()):
        created = unit.json(
            queries.CREATE,
            post_id=post_id,
            caller=caller.id,
            contact_info=seal_contact(key, post_id, data.contact_info),
            now=clock.now(),
            **data.model_dump(exclude={"contact_info"}),
        )
    if created is None:
        raise PostingFeeNotPaid
    return created


def post(unit: Connection, caller: Caller, post_id: UUID) -> Json[Post]:
    """A post the caller may see, or their own; NotFound otherwise."""
    found = unit.json(queries.POST, post_id=post_id, caller=caller.id)
    if found is None:
        raise NotFound
    return found


def search(unit: Connection, caller: Caller, query: PostQuery) -> Json[Page[Post]]:
    """The posts that fit, newest first."""
    filters = query.model_dump(exclude={"limit", "cursor"})
    return paging.page(unit, queries.SEARCH, query, caller=caller.id, **filters)


def archive(unit: Connection, caller: Caller, post_id: UUID) -> Json[Post]:
    """Take one's post down, which frees the place; NotFound for anybody else's."""
    found = unit.json(queries.ARCHIVE, post_id=post_id, caller=caller.id, now=clock.now())
    if found is None:
        raise NotFound
    return found


def seal_contact(key: bytes, post_id: UUID, contact: Contact) -> bytes:
    """Contact details under their author's key, bound to the post."""
    return sealing.seal(key, _row(post_id), contact.model_dump_json().encode())


def open_contact(key: bytes, post_id: UUID, sealed: bytes) -> Contact:
    """Contact details back from under their author's key."""
    return Contact.model_validate_json(sealing.unseal(key, _row(post_id), sealed))


def _row(post_id: UUID) -> str:
    return f"marketplace.posts.contact_info:{post_id}"
