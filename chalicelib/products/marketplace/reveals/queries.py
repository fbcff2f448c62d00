"""Every statement on reveals."""

from sqlalchemy import (
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from chalicelib.core import settings
from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import command, place_of, statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.kernel.moderation import service as moderation
from chalicelib.products.marketplace.posts.queries import NOW, visible_to
from chalicelib.products.marketplace.tables import (
    REVEALS_PER_DAY,
    allowances,
    contact_reveals,
    posts,
)

_CALLER = bindparam("caller", type_=Uuid)
_POST = bindparam("post_id", type_=Uuid)
_REVEAL = bindparam("reveal_id", type_=Uuid)

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
# Apart, because SQLAlchemy writes no schema within ON CONFLICT, nor in what it meets there first.
_most = select(settings.integer(REVEALS_PER_DAY.product, REVEALS_PER_DAY.key).label("a_day")).cte(
    "most"
)
# Counted first: who comes at the same moment waits for this row. What fails later is not counted.
_counted = (
    upsert(allowances)
    .from_select(
        ["user_id", "kind", "period", "used"],
        select(_CALLER, literal("reveal"), accounts.local_day(_CALLER, NOW), literal(1)).where(
            _to_be_bought, _most.c.a_day > 0
        ),
    )
    .on_conflict_do_update(
        index_elements=[allowances.c.user_id, allowances.c.kind, allowances.c.period],
        set_={"used": allowances.c.used + 1},
        where=allowances.c.used < select(_most.c.a_day).scalar_subquery(),
    )
    .returning(allowances.c.used)
    .cte("counted")
)
_spending = ledger.spending(select(_counted.c.used).exists())
_revealed = (
    insert(contact_reveals)
    .from_select(
        [
            "id", "requester_id", "target_post_id", "owner_id", "revealed_via", "transfer_id",
            "contact_info", "revealed_at",
        ],
        select(
            _REVEAL, _CALLER, _target.c.id, _target.c.user_id, literal("credit"),
            _spending.moved.c.id, _target.c.contact_info, NOW,
        ).select_from(_spending.moved.join(_target, true())),
    )
    .returning(contact_reveals)
    .cte("revealed")
)  # fmt: skip
_bought = union_all(
    select(
        _known.c.owner_id, _known.c.contact_info, _known.c.revealed_via, _known.c.revealed_at,
        _known.c.claimed_back_at, _known.c.withdrawn_at, literal(False).label("fresh"),
    ),
    select(
        _revealed.c.owner_id, _revealed.c.contact_info, _revealed.c.revealed_via,
        _revealed.c.revealed_at, _revealed.c.claimed_back_at, _revealed.c.withdrawn_at,
        literal(True),
    ),
).subquery("bought")  # fmt: skip

# One statement decides, counts, takes the credit, writes the transfer and the reveal, and answers.
REVEAL = statement(
    select(
        select(_target.c.user_id).scalar_subquery(),
        select(func.count()).select_from(_counted).scalar_subquery(),
        _bought.c.owner_id,
        _bought.c.contact_info,
        accounts.wrapped_key_of(_bought.c.owner_id),
        _bought.c.revealed_via,
        _bought.c.revealed_at,
        _bought.c.claimed_back_at,
        _bought.c.withdrawn_at,
        _bought.c.fresh,
    )
    .select_from(select(null().label("anchor")).subquery("anchor").outerjoin(_bought, true()))
    .add_cte(_revealed)
)

# Asked by a first look that was refused: a twin it waited for may have spent what it lacked.
IS_REVEALED = statement(
    select(
        select(literal(1))
        .where(contact_reveals.c.requester_id == _CALLER, contact_reveals.c.target_post_id == _POST)
        .exists()
    )
)

_buyer = bindparam("buyer", type_=Uuid)
REVEAL_PAID = statement(
    upsert(contact_reveals)
    .from_select(
        [
            "id", "requester_id", "target_post_id", "owner_id", "revealed_via", "payment_id",
            "contact_info", "revealed_at",
        ],
        select(
            _REVEAL, _buyer, posts.c.id, posts.c.user_id, literal("payment", Text),
            bindparam("payment_id", type_=Uuid), posts.c.contact_info, NOW,
        ).where(posts.c.id == _POST, posts.c.user_id != _buyer, visible_to(_buyer)),
    )
    .on_conflict_do_nothing()
    .returning(contact_reveals.c.owner_id)
)  # fmt: skip
REVEALED = PagedStatement(
    select(
        contact_reveals.c.target_post_id.label("post_id"),
        posts.c.user_type,
        posts.c.platform,
        posts.c.description,
        contact_reveals.c.revealed_via,
        contact_reveals.c.revealed_at,
        contact_reveals.c.claimed_back_at,
    )
    .join(posts, posts.c.id == contact_reveals.c.target_post_id)
    .where(contact_reveals.c.requester_id == _CALLER),
    contact_reveals.c.revealed_at,
    contact_reveals.c.target_post_id,
)
_may_be_known = and_(
    accounts.stands(contact_reveals.c.requester_id),
    moderation.not_blocked(_CALLER, contact_reveals.c.requester_id),
)
# The list goes by the reveal's own id: its cursor would tell who a hidden requester is.
REVEALS_OF_POST = PagedStatement(
    select(
        contact_reveals.c.revealed_at,
        contact_reveals.c.claimed_back_at,
        case((_may_be_known, contact_reveals.c.requester_id)).label("requester_id"),
        case((_may_be_known, accounts.name_of(contact_reveals.c.requester_id))).label(
            "requester_name"
        ),
    ).where(contact_reveals.c.target_post_id == _POST, contact_reveals.c.owner_id == _CALLER),
    contact_reveals.c.id,
)
# In their order: most often none is as old, and the index says so at once.
FORGET_ALLOWANCES = command(
    allowances.delete().where(
        place_of(allowances)
        == func.any(
            func.array(
                select(place_of(allowances))
                .where(allowances.c.period < bindparam("before", type_=allowances.c.period.type))
                .order_by(allowances.c.period)
                .limit(1000)
                .with_for_update(skip_locked=True)
                .scalar_subquery()
            )
        )
    )
)
