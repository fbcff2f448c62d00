"""Every statement on claiming contacts back."""

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from chalicelib.core import settings
from chalicelib.core.statements import command, statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.products.marketplace.posts.queries import NOW
from chalicelib.products.marketplace.tables import (
    STALE_CLAIM_DAYS,
    STALE_CLAIMS_PER_MONTH,
    allowances,
    contact_reveals,
)

_CALLER = bindparam("caller", type_=Uuid)
_POST = bindparam("post_id", type_=Uuid)


def _is_young() -> ColumnElement[bool]:
    days = settings.integer(STALE_CLAIM_DAYS.product, STALE_CLAIM_DAYS.key)
    return contact_reveals.c.revealed_at > NOW - func.make_interval(0, 0, 0, days)


_known = (
    select(contact_reveals.c.claimed_back_at, _is_young().label("is_young"))
    .where(contact_reveals.c.requester_id == _CALLER, contact_reveals.c.target_post_id == _POST)
    .cte("known")
)
_can_be_claimed = (
    select(literal(1))
    .select_from(_known)
    .where(_known.c.claimed_back_at.is_(None), _known.c.is_young)
    .exists()
)
_month = cast(func.date_trunc("month", accounts.local_day(_CALLER, NOW)), Date)
# Apart, because SQLAlchemy writes no schema within ON CONFLICT, nor in what it meets there first.
_most = select(
    settings.integer(STALE_CLAIMS_PER_MONTH.product, STALE_CLAIMS_PER_MONTH.key).label("a_month")
).cte("most")
_counted = (
    upsert(allowances)
    .from_select(
        ["user_id", "kind", "period", "used"],
        select(_CALLER, literal("stale_claim"), _month, literal(1)).where(
            _can_be_claimed, _most.c.a_month > 0
        ),
    )
    .on_conflict_do_update(
        index_elements=[allowances.c.user_id, allowances.c.kind, allowances.c.period],
        set_={"used": allowances.c.used + 1},
        where=allowances.c.used < select(_most.c.a_month).scalar_subquery(),
    )
    .returning(allowances.c.used)
    .cte("counted")
)
_claimed = (
    update(contact_reveals)
    .where(
        contact_reveals.c.requester_id == _CALLER,
        contact_reveals.c.target_post_id == _POST,
        contact_reveals.c.claimed_back_at.is_(None),
        select(_counted.c.used).exists(),
    )
    .values(claimed_back_at=NOW)
    .returning(
        contact_reveals.c.owner_id, contact_reveals.c.transfer_id, contact_reveals.c.payment_id
    )
    .cte("claimed")
)
CLAIM = statement(
    select(
        _known.c.claimed_back_at,
        _known.c.is_young,
        select(func.count()).select_from(_counted).scalar_subquery(),
        _claimed.c.owner_id,
        _claimed.c.transfer_id,
        _claimed.c.payment_id,
    ).select_from(_known.outerjoin(_claimed, true()))
)

# Those who bought from somebody who has left get back what is young enough to be claimed.
CLAIM_ALL_OF = statement(
    update(contact_reveals)
    .where(
        contact_reveals.c.owner_id == bindparam("author", type_=Uuid),
        contact_reveals.c.claimed_back_at.is_(None),
        _is_young(),
    )
    .values(claimed_back_at=NOW)
    .returning(
        contact_reveals.c.requester_id,
        contact_reveals.c.target_post_id,
        contact_reveals.c.transfer_id,
        contact_reveals.c.payment_id,
    )
)
# Shown while its payment stands, and never again once it was claimed back.
SETTLE_PAID = command(
    update(contact_reveals)
    .where(contact_reveals.c.payment_id == bindparam("payment_id", type_=Uuid))
    .values(withdrawn_at=case((bindparam("stands", type_=Boolean), null()), else_=NOW))
)
