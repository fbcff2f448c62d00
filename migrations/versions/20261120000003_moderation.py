"""Blocks."""

from alembic import op

revision = "20261120000003_moderation"
down_revision = "20261120000002_accounts"


def upgrade() -> None:
    """Runs while the code of the migration before still serves."""
    op.execute(
        """
        create schema moderation
        """
    )
    op.execute(
        """
        create table moderation.blocks (
            blocker_id uuid not null,
            blocked_id uuid not null,
            created_at timestamptz not null,
            primary key (blocker_id, blocked_id),
            constraint blocks_never_oneself check (blocker_id <> blocked_id),
            foreign key(blocker_id) references accounts.users (id) on delete restrict,
            foreign key(blocked_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index blocks_blocked_id on moderation.blocks (blocked_id)
        """
    )
