"""What people are told, how they want to be told, and mail."""

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
        create table notifications.suppressions (
            address_hash text not null,
            reason text not null,
            created_at timestamptz not null,
            primary key (address_hash),
            constraint suppressions_reason check (reason in ('bounce', 'complaint'))
        )
        """
    )
    op.execute(
        """
        create table notifications.mails (
            id uuid not null,
            user_id uuid not null,
            template text not null,
            subject_id uuid,
            filling jsonb,
            state text not null,
            provider_id text,
            created_at timestamptz not null,
            sent_at timestamptz,
            primary key (id),
            constraint mails_state check (state in ('queued', 'sent', 'dropped')),
            constraint mails_filling check (state = 'queued' or filling is null),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index mails_user_id on notifications.mails (user_id)
        """
    )
    op.execute(
        """
        create table notifications.notifications (
            id uuid not null,
            user_id uuid not null,
            product text not null,
            kind text not null,
            priority text not null,
            subject_kind text,
            subject_id uuid,
            title text not null,
            body text not null,
            read_at timestamptz,
            created_at timestamptz not null,
            primary key (id),
            constraint notifications_priority check (priority in ('low', 'normal', 'high')),
            constraint notifications_subject check ((subject_kind is null) = (subject_id is null)),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index notifications_unread on notifications.notifications (user_id, id) where read_at is null
        """
    )
    op.execute(
        """
        create index notifications_user_id on notifications.notifications (user_id, id)
        """
    )
    op.execute(
        """
        create table notifications.preferences (
            user_id uuid not null,
            kind text not null,
            channel text not null,
            enabled boolean not null,
            updated_at timestamptz not null,
            primary key (user_id, kind, channel),
            constraint preferences_channel check (channel in ('in_app', 'mail')),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
