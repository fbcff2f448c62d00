"""Every statement on posts. `visible_to` is the one door to other people's."""

from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    false,
    func,
    insert,
    literal,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import command, json_object, statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.billing.checkouts import service as billing
from chalicelib.kernel.moderation import service as moderation
from chalicelib.products.marketplace.tables import domain_verifications, posts

NOW = bindparam("now", type_=DateTime(timezone=True))
POSTING_YEAR = timedelta(days=365)
_CALLER = bindparam("caller", type_=Uuid)
_POST = bindparam("post_id", type_=Uuid)


def is_active(rows: FromClause = posts) -> ColumnElement[bool]:
    """Written out: a plan for all parameters goes by a partial index only if its condition stands."""
    active: ColumnElement[bool] = rows.c.status == literal_column("'active'")
    return active


def visible_to(viewer: ColumnElement[Any], rows: FromClause = posts) -> ColumnElement[bool]:
    """Active, by somebody who is neither banned nor erased, and no block between the two.

    `rows` are posts that were read already, where it is not the table.
    """
    return (
        is_active(rows)
        & accounts.stands(rows.c.user_id)
        & moderation.not_blocked(viewer, rows.c.user_id)
    )


# Named one by one, so that the sealed contact can't slip into a list.
SHOWN = (
    posts.c.id,
    posts.c.user_id,
    posts.c.user_type,
    posts.c.platform,
    posts.c.followers,
    posts.c.interests,
    posts.c.price_point,
    posts.c.description,
    posts.c.verified,
    posts.c.status,
    posts.c.created_at,
    posts.c.updated_at,
)
_has_paid = billing.has_paid(_CALLER, "marketplace", "posting_fee", NOW - POSTING_YEAR)
_contact_info = cast(bindparam("contact_info", type_=LargeBinary), LargeBinary)

# Locked while a post is written: a check of a domain that ends meanwhile waits, and marks it then.
_domains = (
    select(domain_verifications.c.status)
    .where(domain_verifications.c.user_id == _CALLER)
    .with_for_update(read=True)
    .cte("domains")
)
_has_domain = select(
    func.coalesce(func.bool_or(_domains.c.status == "verified"), false())
).scalar_subquery()
_user_type = bindparam("user_type", type_=Text)

WRAPPED_KEY = statement(select(accounts.wrapped_key_of(_CALLER)))
CREATE = json_object(
    select(
        insert(posts)
        .from_select(
            [
                "id", "user_id", "status", "user_type", "platform", "followers", "interests",
                "price_point", "description", "contact_info", "verified", "created_at",
                "updated_at",
            ],
            select(
                _POST, _CALLER, literal("active"), _user_type, bindparam("platform", type_=Text),
                bindparam("followers", type_=Integer), bindparam("interests", type_=ARRAY(Text)),
                bindparam("price_point", type_=Text), bindparam("description", type_=Text),
                _contact_info, and_(_user_type == "brand", _has_domain), NOW, NOW,
            ).where(_has_paid),
        )
        .returning(*SHOWN)
        .cte("created")
    )
)  # fmt: skip
POST = json_object(
    select(*SHOWN).where(
        posts.c.id == _POST,
        or_(and_(posts.c.user_id == _CALLER, posts.c.status != "removed"), visible_to(_CALLER)),
    )
)
_own = and_(posts.c.id == _POST, posts.c.user_id == _CALLER, posts.c.status != "removed")


def _or_as_it_was(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    return func.coalesce(bindparam(name, type_=column.type), column)


CHANGE = json_object(
    select(
        update(posts)
        .where(_own)
        .values(
            user_type=_or_as_it_was(posts.c.user_type, "user_type"),
            platform=_or_as_it_was(posts.c.platform, "platform"),
            followers=_or_as_it_was(posts.c.followers, "followers"),
            interests=_or_as_it_was(posts.c.interests, "interests"),
            price_point=_or_as_it_was(posts.c.price_point, "price_point"),
            description=_or_as_it_was(posts.c.description, "description"),
            contact_info=func.coalesce(_contact_info, posts.c.contact_info),
            verified=and_(_or_as_it_was(posts.c.user_type, "user_type") == "brand", _has_domain),
            updated_at=NOW,
        )
        .returning(*SHOWN)
        .cte("changed")
    )
)
ARCHIVE = json_object(
    select(
        update(posts)
        .where(_own)
        .values(status="archived", updated_at=NOW)
        .returning(*SHOWN)
        .cte("archived")
    )
)
REACTIVATE = json_object(
    select(
        update(posts)
        .where(_own, _has_paid)
        .values(status="active", updated_at=NOW)
        .returning(*SHOWN)
        .cte("reactivated")
    )
)
IS_OWN = statement(select(literal(1)).where(_own))


def _gone(by: str | ColumnElement[Any]) -> dict[str, Any]:
    return {"status": "removed", "removed_by": by, "updated_at": NOW}


DELETE = command(update(posts).where(_own).values(_gone("author") | {"contact_info": null()}))
# What others removed keeps its contact, sealed, because it may turn out to have been wrong.
REMOVE = statement(
    update(posts)
    .where(posts.c.id == _POST, posts.c.status != "removed")
    .values(_gone(bindparam("by", type_=Text)))
    .returning(posts.c.user_id)
)
RESTORE = command(
    update(posts)
    .where(posts.c.id == _POST, posts.c.removed_by == "moderation")
    .values(status="archived", removed_by=null(), updated_at=NOW)
)
AUTHOR = statement(
    select(posts.c.user_id).where(
        posts.c.id == _POST, or_(posts.c.user_id == _CALLER, visible_to(_CALLER))
    )
)
OWN = PagedStatement(
    select(*SHOWN).where(posts.c.user_id == _CALLER, posts.c.status != "removed"),
    posts.c.id,
)
