"""What staff do with posts, each deed in the audit log."""

from uuid import UUID

from chalicelib.core import audit, paging
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.notifications import service as notifications
from chalicelib.products.marketplace.events import POST_REMOVED
from chalicelib.products.marketplace.posts import service as posts
from chalicelib.products.marketplace.staff import queries
from chalicelib.products.marketplace.staff.schemas import Removal, StaffPost, StaffPostQuery


def all_posts(unit: Connection, query: StaffPostQuery) -> Json[Page[StaffPost]]:
    """Everybody's posts, newest first."""
    asked = {"status": query.status, "user_id": query.user_id}
    given = {name: value for name, value in asked.items() if value is not None}
    return paging.page(unit, queries.posts_by(tuple(given)), query, **given)


def remove_post(unit: Connection, caller: Caller, post_id: UUID, data: Removal) -> Json[StaffPost]:
    """Remove a post and tell its author why; NotFound where there is none, or it was removed."""
    author = posts.remove_post(unit, post_id, by="staff")
    audit.record(
        unit,
        caller.id,
        "marketplace.remove_post",
        f"marketplace.posts:{post_id}",
        {"reason": data.reason},
    )
    notifications.notify(
        unit,
        author,
        product="marketplace",
        kind=POST_REMOVED.kind,
        subject_kind="marketplace.post",
        subject_id=post_id,
        values={"reason": data.reason},
    )
    removed = unit.json(queries.POST, post_id=post_id)
    if removed is None:
        raise NotFound
    return removed
