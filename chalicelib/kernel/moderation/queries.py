"""Every statement on blocks, and the clause other domains read by."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Uuid,
    and_,
    bindparam,
    delete,
    literal,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import command, statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.moderation.tables import blocks

_CALLER = bindparam("caller", type_=Uuid)
_OTHER = bindparam("other", type_=Uuid)


def not_blocked(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether neither of two people blocked the other: two looks into an index.

    OFFSET keeps them looks. Without it PostgreSQL would read all blocks of whoever looks once for
    each row it shows them, and somebody may have blocked thousands.
    """

    def blocked(blocker: ColumnElement[Any], target: ColumnElement[Any]) -> ColumnElement[bool]:
        found = select(literal(1)).where(
            blocks.c.blocker_id == blocker, blocks.c.blocked_id == target
        )
        return found.offset(literal_column("0")).exists()

    return and_(~blocked(one, other), ~blocked(other, one))


# A row also when the block stood already, so that blocking twice is as good as once.
BLOCK = statement(
    insert(blocks)
    .from_select(
        ["blocker_id", "blocked_id", "created_at"],
        select(_CALLER, _OTHER, bindparam("now", type_=DateTime(timezone=True))).where(
            accounts.stands(_OTHER)
        ),
    )
    .on_conflict_do_update(
        index_elements=[blocks.c.blocker_id, blocks.c.blocked_id],
        set_={"created_at": blocks.c.created_at},
    )
    .returning(blocks.c.blocked_id)
)
STANDS = statement(select(literal(1)).where(accounts.stands(_OTHER)))
UNBLOCK = command(
    delete(blocks).where(blocks.c.blocker_id == _CALLER, blocks.c.blocked_id == _OTHER)
)
BLOCKED = PagedStatement(
    select(blocks.c.blocked_id.label("user_id"), blocks.c.created_at).where(
        blocks.c.blocker_id == _CALLER
    ),
    blocks.c.created_at,
    blocks.c.blocked_id,
)
