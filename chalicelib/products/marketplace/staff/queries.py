"""The statements of staff. They see everybody's posts, and nobody's contact."""

from functools import cache

from sqlalchemy import Text, Uuid, bindparam, select

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import json_object
from chalicelib.products.marketplace.posts.queries import SHOWN
from chalicelib.products.marketplace.tables import posts

_shown = (*SHOWN, posts.c.removed_by)
_NARROWED = {
    "status": posts.c.status == bindparam("status", type_=Text),
    "user_id": posts.c.user_id == bindparam("user_id", type_=Uuid),
}

POST = json_object(select(*_shown).where(posts.c.id == bindparam("post_id", type_=Uuid)))


@cache
def posts_by(filters: tuple[str, ...]) -> PagedStatement:
    """Everybody's posts by these filters, newest first."""
    return PagedStatement(select(*_shown).where(*(_NARROWED[one] for one in filters)), posts.c.id)
