"""Mail."""

from alembic import op

revision = "20261120000004_notifications"
down_revision = "20261120000003_moderation"


def upgrade() -> None:
    """Runs while the code of the migration before still serves."""
    op.execute(
        """
        create schema notifications
        """
    )
    op.execute(
        """
        create table notifications.mails (
            id uuid not null,
            user_id uuid not null,
            template text not null,
            state text not null,
            provider_id text,
            created_at timestamptz not null,
            sent_at timestamptz,
            primary key (id),
            constraint mails_state check (state in ('queued', 'sent', 'dropped')),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index mails_user_id on notifications.mails (user_id)
        """
    )
