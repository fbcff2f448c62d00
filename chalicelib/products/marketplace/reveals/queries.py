"""Every statement on reveals."""

from sqlalchemy import Uuid, bindparam, insert, literal, null, or_, select, true, union_all

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.products.marketplace.posts.queries import NOW, visible_to
from chalicelib.products.marketplace.tables import contact_reveals, posts

_CALLER = bindparam("caller", type_=Uuid)
_POST = bindparam("post_id", type_=Uuid)

# What was bought stays readable, whatever becomes of the post; else the post must be visible.
_known = (
    select(contact_reveals)
    .where(contact_reveals.c.requester_id == _CALLER, contact_reveals.c.target_post_id == _POST)
    .cte("known")
)
_target = (
    select(posts.c.id, posts.c.user_id, posts.c.contact_info)
    .where(posts.c.id == _POST, or_(posts.c.user_id == _CALLER, visible_to(_CALLER)))
    .cte("target")
)
_to_be_bought = (
    select(literal(1))
    .select_from(_target)
    .where(_target.c.user_id != _CALLER, ~select(_known.c.target_post_id).exists())
    .exists()
)
_spending = ledger.spending(_to_be_bought)
_revealed = (
    insert(contact_reveals)
    .from_select(
        [
            "requester_id", "target_post_id", "owner_id", "revealed_via", "transfer_id",
            "contact_info", "revealed_at",
        ],
        select(
            _CALLER, _target.c.id, _target.c.user_id, literal("credit"), _spending.moved.c.id,
            _target.c.contact_info, NOW,
        ).select_from(_spending.moved.join(_target, true())),
    )
    .returning(contact_reveals)
    .cte("revealed")
)  # fmt: skip
_bought = union_all(
    select(
        _known.c.owner_id, _known.c.contact_info, _known.c.revealed_via, _known.c.revealed_at,
        literal(False).label("fresh"),
    ),
    select(
        _revealed.c.owner_id, _revealed.c.contact_info, _revealed.c.revealed_via,
        _revealed.c.revealed_at, literal(True).label("fresh"),
    ),
).subquery("bought")  # fmt: skip

# One statement decides, takes the credit, writes the transfer and the reveal, and answers.
REVEAL = statement(
    select(
        select(_target.c.user_id).scalar_subquery(),
        _bought.c.owner_id,
        _bought.c.contact_info,
        accounts.wrapped_key_of(_bought.c.owner_id),
        _bought.c.revealed_via,
        _bought.c.revealed_at,
        _bought.c.fresh,
    )
    .select_from(select(null().label("anchor")).subquery("anchor").outerjoin(_bought, true()))
    .add_cte(_revealed)
)
REVEALED = PagedStatement(
    select(
        contact_reveals.c.target_post_id.label("post_id"),
        posts.c.user_type,
        posts.c.platform,
        posts.c.description,
        contact_reveals.c.revealed_via,
        contact_reveals.c.revealed_at,
    )
    .join(posts, posts.c.id == contact_reveals.c.target_post_id)
    .where(contact_reveals.c.requester_id == _CALLER),
    contact_reveals.c.revealed_at,
    contact_reveals.c.target_post_id,
)
