"""Posts: paid for by the year, one active at a time, contact details sealed."""

from typing import Literal
from uuid import UUID

from chalicelib.core import clock, db, ids, paging, sealing
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound, NotSignedIn
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts import service as accounts
from chalicelib.products.marketplace.errors import ActivePostExists, PostingFeeNotPaid
from chalicelib.products.marketplace.posts import queries
from chalicelib.products.marketplace.schemas import Contact, Post, PostCreate, PostUpdate


def create_post(unit: Connection, caller: Caller, data: PostCreate) -> Json[Post]:
    """Publish a post; PostingFeeNotPaid or ActivePostExists stand against it.

    Both rules are the statement's own: the fee its condition, the place a unique index.
    """
    post_id = ids.uuid7()
    sealed = _sealed(unit, caller, post_id, data.contact_info)
    with db.refused(db.UNIQUE_VIOLATION, "posts_one_active", ActivePostExists()):
        created = unit.json(
            queries.CREATE,
            post_id=post_id,
            caller=caller.id,
            contact_info=sealed,
            now=clock.now(),
            **data.model_dump(exclude={"contact_info"}),
        )
    if created is None:
        raise PostingFeeNotPaid
    return created


def post(unit: Connection, caller: Caller, post_id: UUID) -> Json[Post]:
    """A post the caller may see, or their own; NotFound otherwise."""
    return _found(unit.json(queries.POST, post_id=post_id, caller=caller.id))


def own_posts(unit: Connection, caller: Caller, query: PageQuery) -> Json[Page[Post]]:
    """The caller's posts that were not removed, newest first."""
    return paging.page(unit, queries.OWN, query, caller=caller.id)


def change_post(unit: Connection, caller: Caller, post_id: UUID, data: PostUpdate) -> Json[Post]:
    """Change one's post; NotFound for anybody else's. What was revealed stays as it was bought."""
    contact = data.contact_info
    sealed = _sealed(unit, caller, post_id, contact) if contact else None
    return _found(
        unit.json(
            queries.CHANGE,
            post_id=post_id,
            caller=caller.id,
            contact_info=sealed,
            now=clock.now(),
            **data.model_dump(exclude={"contact_info"}),
        )
    )


def archive(unit: Connection, caller: Caller, post_id: UUID) -> Json[Post]:
    """Take one's post down, which frees the place; NotFound for anybody else's."""
    return _found(unit.json(queries.ARCHIVE, post_id=post_id, caller=caller.id, now=clock.now()))


def reactivate(unit: Connection, caller: Caller, post_id: UUID) -> Json[Post]:
    """Put an archived post up again; NotFound, PostingFeeNotPaid or ActivePostExists."""
    now = clock.now()
    with db.refused(db.UNIQUE_VIOLATION, "posts_one_active", ActivePostExists()):
        found = unit.json(queries.REACTIVATE, post_id=post_id, caller=caller.id, now=now)
    if found is None:
        raise PostingFeeNotPaid if is_own(unit, caller.id, post_id) else NotFound
    return found


def delete_post(unit: Connection, caller: Caller, post_id: UUID) -> None:
    """Remove one's post for good; NotFound for anybody else's. Who revealed it keeps that."""
    if not unit.run(queries.DELETE, post_id=post_id, caller=caller.id, now=clock.now()):
        raise NotFound


def remove_post(unit: Connection, post_id: UUID, *, by: Literal["staff", "moderation"]) -> UUID:
    """Remove anybody's post: its author. NotFound where there is nothing to remove."""
    row = unit.one(queries.REMOVE, post_id=post_id, by=by, now=clock.now())
    if row is None:
        raise NotFound
    return row[0]


def restore_post(unit: Connection, post_id: UUID) -> None:
    """Let the author of a post that moderation removed put it up again."""
    unit.run(queries.RESTORE, post_id=post_id, now=clock.now())


def author_of(unit: Connection, post_id: UUID, viewer: UUID | None) -> UUID | None:
    """Whose a post is; None for one the viewer may not see."""
    row = unit.one(queries.AUTHOR, post_id=post_id, caller=viewer)
    return row[0] if row else None


def require_own(unit: Connection, user_id: UUID, post_id: UUID) -> None:
    """Have the next statement run only for the post's author, in its flush; NotFound for others."""

    def check(row: tuple[int] | None) -> None:
        if row is None:
            raise NotFound

    given = {"caller": user_id, "post_id": post_id}
    unit.precede(db.Prelude(queries.IS_OWN, given, check))


def is_own(unit: Connection, user_id: UUID, post_id: UUID) -> bool:
    """Whether a post is somebody's own and was not removed."""
    return unit.one(queries.IS_OWN, caller=user_id, post_id=post_id) is not None


def seal_contact(key: bytes, post_id: UUID, contact: Contact) -> bytes:
    """Contact details under their author's key, bound to the post."""
    return sealing.seal(key, _row(post_id), contact.model_dump_json().encode())


def open_contact(key: bytes, post_id: UUID, sealed: bytes) -> Contact:
    """Contact details back from under their author's key."""
    return Contact.model_validate_json(sealing.unseal(key, _row(post_id), sealed))


def _sealed(unit: Connection, caller: Caller, post_id: UUID, contact: Contact) -> bytes:
    row = unit.one(queries.WRAPPED_KEY, caller=caller.id)
    if row is None or row[0] is None:
        raise NotSignedIn
    return seal_contact(accounts.data_key(caller.id, row[0]), post_id, contact)


def _found(answer: Json[Post] | None) -> Json[Post]:
    if answer is None:
        raise NotFound
    return answer


def _row(post_id: UUID) -> str:
    return f"marketplace.posts.contact_info:{post_id}"
