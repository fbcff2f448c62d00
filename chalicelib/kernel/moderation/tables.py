"""Who wants nothing to do with whom."""

from sqlalchemy import CheckConstraint, Index, Table, TypedColumns

from chalicelib.core.columns import metadata, moment, reference

SCHEMA = "moderation"


class BlockColumns(TypedColumns):
    """That one person blocked another; it holds in both directions."""

    blocker_id = reference("accounts.users.id", primary_key=True)
    blocked_id = reference("accounts.users.id", primary_key=True)
    created_at = moment()


blocks = Table(
    "blocks",
    metadata,
    BlockColumns,
    CheckConstraint("blocker_id <> blocked_id", name="blocks_never_oneself"),
    Index("blocks_blocked_id", "blocked_id"),
    schema=SCHEMA,
)
