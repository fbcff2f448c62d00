"""Every statement on addresses that are not written to."""

from sqlalchemy import DateTime, Text, bindparam, delete, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chalicelib.core.statements import command, statement
from chalicelib.kernel.notifications.tables import suppressions

_HASH = bindparam("address_hash", type_=Text)

SUPPRESS = command(
    insert(suppressions)
    .from_select(
        ["address_hash", "reason", "created_at"],
        select(
            func.unnest(bindparam("hashes", type_=ARRAY(Text))),
            bindparam("reason", type_=Text),
            bindparam("now", type_=DateTime(timezone=True)),
        ),
    )
    .on_conflict_do_nothing()
)
SUPPRESSED = statement(select(literal(1)).where(suppressions.c.address_hash == _HASH))
LIFT = command(delete(suppressions).where(suppressions.c.address_hash == _HASH))
