"""Every statement on posts. `visible_to` is the one door to other people's."""

from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import json_object, statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.billing.checkouts import service as billing
from chalicelib.kernel.moderation import service as moderation
from chalicelib.products.marketplace.tables import posts

NOW = bindparam("now", type_=DateTime(timezone=True))
POSTING_YEAR = timedelta(days=365)
_CALLER = bindparam("caller", type_=Uuid)
_POST = bindparam("post_id", type_=Uuid)


def visible_to(viewer: ColumnElement[Any]) -> ColumnElement[bool]:
    """Active, by somebody who is neither banned nor erased, and no block between the two."""
    return (
        (posts.c.status == "active")
        & accounts.stands(posts.c.user_id)
        & moderation.not_blocked(viewer, posts.c.user_id)
    )


# Named one by one, so that the sealed contact can't slip into a list.
_shown = (
    posts.c.id,
    posts.c.user_id,
    posts.c.user_type,
    posts.c.platform,
    posts.c.followers,
    posts.c.interests,
    posts.c.price_point,
    posts.c.description,
    posts.c.status,
    posts.c.created_at,
    posts.c.updated_at,
)

WRAPPED_KEY = statement(select(accounts.wrapped_key_of(_CALLER)))
CREATE = json_object(
    select(
        insert(posts)
        .from_select(
            [
                "id", "user_id", "status", "user_type", "platform", "followers", "interests",
                "price_point", "description", "contact_info", "created_at", "updated_at",
            ],
            select(
                _POST, _CALLER, literal("active"), bindparam("user_type", type_=Text),
                bindparam("platform", type_=Text), bindparam("followers", type_=Integer),
                bindparam("interests", type_=ARRAY(Text)), bindparam("price_point", type_=Text),
                bindparam("description", type_=Text), cast(bindparam("contact_info", type_=LargeBinary), LargeBinary),
                NOW, NOW,
            ).where(billing.has_paid(_CALLER, "marketplace", "posting_fee", NOW - POSTING_YEAR)),
        )
        .returning(*_shown)
        .cte("created")
    )
)  # fmt: skip
POST = json_object(
    select(*_shown).where(posts.c.id == _POST, or_(posts.c.user_id == _CALLER, visible_to(_CALLER)))
)
ARCHIVE = json_object(
    select(
        update(posts)
        .where(posts.c.id == _POST, posts.c.user_id == _CALLER, posts.c.status != "removed")
        .values(status="archived", updated_at=NOW)
        .returning(*_shown)
        .cte("archived")
    )
)


def _narrowed(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    given = bindparam(name, type_=column.type)
    return or_(given.is_(None), column == given)


_interests = bindparam("interest", type_=ARRAY(Text))
SEARCH = PagedStatement(
    select(*_shown).where(
        visible_to(_CALLER),
        _narrowed(posts.c.user_type, "user_type"),
        _narrowed(posts.c.platform, "platform"),
        _narrowed(posts.c.price_point, "price_point"),
        posts.c.followers >= func.coalesce(bindparam("min_followers", type_=Integer), 0),
        posts.c.followers
        <= func.coalesce(bindparam("max_followers", type_=Integer), 2_000_000_000),
        or_(_interests.is_(None), posts.c.interests.overlap(_interests)),
    ),
    posts.c.id,
)
