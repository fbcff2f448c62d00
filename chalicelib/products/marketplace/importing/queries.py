"""The statements that take over posts and reveals. Rows that are there already stay as they are."""

from typing import Any

from sqlalchemy import (
    Boolean,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chalicelib.core.statements import statement
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.products.marketplace.posts.queries import NOW
from chalicelib.products.marketplace.tables import contact_reveals, posts

_POST = bindparam("post_id", type_=Uuid)
_BUYER = bindparam("buyer", type_=Uuid)

_post = (
    insert(posts)
    .values(
        id=_POST,
        user_id=bindparam("author", type_=Uuid),
        status=case((bindparam("active", type_=Boolean), "active"), else_="archived"),
        user_type=bindparam("user_type", type_=Text),
        platform=bindparam("platform", type_=Text),
        followers=bindparam("followers", type_=Integer),
        interests=bindparam("interests", type_=ARRAY(Text)),
        price_point=bindparam("price_point", type_=Text),
        description=bindparam("description", type_=Text),
        contact_info=cast(bindparam("contact_info", type_=LargeBinary), LargeBinary),
        verified=literal(False),
        created_at=NOW,
        updated_at=NOW,
    )
    .on_conflict_do_nothing()
    .returning(posts.c.id)
    .cte("post")
)
ADD_POST = statement(
    select(
        select(func.count()).select_from(_post).scalar_subquery() > 0,
        select(literal(1)).where(posts.c.id == _POST).exists(),
    )
)

_known = (
    select(literal(1))
    .where(contact_reveals.c.requester_id == _BUYER, contact_reveals.c.target_post_id == _POST)
    .exists()
)
_target = (
    select(posts.c.id, posts.c.user_id, posts.c.contact_info)
    .where(posts.c.id == _POST, posts.c.user_id != _BUYER, posts.c.contact_info.is_not(None))
    .cte("target")
)
_to_be_added = select(literal(1)).select_from(_target).where(~_known).exists()
_COLUMNS = [
    "id", "requester_id", "target_post_id", "owner_id", "contact_info", "revealed_at",
    "revealed_via",
]  # fmt: skip
_values: tuple[Any, ...] = (
    bindparam("reveal_id", type_=Uuid), _BUYER, _target.c.id, _target.c.user_id,
    _target.c.contact_info, NOW,
)  # fmt: skip
_spending = ledger.spending(_to_be_added)
_by_credit = (
    insert(contact_reveals)
    .from_select(
        [*_COLUMNS, "transfer_id"],
        select(*_values, literal("credit"), _spending.moved.c.id).select_from(
            _spending.moved.join(_target, true())
        ),
    )
    .returning(contact_reveals.c.id)
    .cte("by_credit")
)
_by_payment = (
    insert(contact_reveals)
    .from_select(
        [*_COLUMNS, "payment_id"],
        select(*_values, literal("payment"), bindparam("payment_id", type_=Uuid)).where(~_known),
    )
    .on_conflict_do_nothing()
    .returning(contact_reveals.c.id)
    .cte("by_payment")
)
ADD_REVEAL_BY_CREDIT = statement(
    select(select(func.count()).select_from(_by_credit).scalar_subquery() > 0, _known)
)
ADD_REVEAL_BY_PAYMENT = statement(
    select(select(func.count()).select_from(_by_payment).scalar_subquery() > 0, _known)
)
