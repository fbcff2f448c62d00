"""People, sessions and keys."""

from alembic import op

revision = "20261120000002_accounts"
down_revision = "20261120000001_core"


def upgrade() -> None:
    """Runs while the code of the migration before still serves."""
    op.execute(
        """
        create extension if not exists citext
        """
    )
    op.execute(
        """
        create schema accounts
        """
    )
    op.execute(
        """
        create table accounts.users (
            id uuid not null,
            email citext,
            email_verified_at timestamptz,
            password_hash text,
            name text,
            phone bytea,
            status text not null,
            locale text not null,
            time_zone text not null,
            next_time_zone text,
            next_time_zone_from timestamptz,
            last_active_at timestamptz,
            erased_at timestamptz,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (id),
            constraint users_status check (status in ('active', 'banned', 'erased')),
            constraint users_erased check ((status = 'erased') = (erased_at is not null)),
            constraint users_erased_is_empty check (erased_at is null or num_nonnulls(email, email_verified_at, password_hash, name, phone, next_time_zone, last_active_at) = 0),
            constraint users_locale check (locale in ('en', 'he', 'pt-BR')),
            constraint users_next_time_zone check ((next_time_zone is null) = (next_time_zone_from is null))
        )
        """
    )
    op.execute(
        """
        create unique index users_email on accounts.users (email)
        """
    )
    op.execute(
        """
        create index users_old_hash on accounts.users ("left"(password_hash, 7)) where "left"(password_hash, 2) = '$2'
        """
    )
    op.execute(
        """
        create table accounts.staff_roles (
            user_id uuid not null,
            product text not null,
            role text not null,
            created_at timestamptz not null,
            primary key (user_id, product, role),
            constraint staff_roles_role check (role in ('support', 'moderator', 'finance', 'admin')),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create table accounts.bans (
            id uuid not null,
            user_id uuid not null,
            reason text not null,
            banned_by uuid not null,
            lifted_by uuid,
            lifted_at timestamptz,
            created_at timestamptz not null,
            primary key (id),
            constraint bans_reason check (reason in ('spam', 'fraud', 'harassment', 'impersonation', 'illegal_content', 'underage', 'other')),
            constraint bans_lifted check ((lifted_at is null) = (lifted_by is null)),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create unique index bans_one_standing on accounts.bans (user_id) where lifted_at is null
        """
    )
    op.execute(
        """
        create index bans_user_id on accounts.bans (user_id)
        """
    )
    op.execute(
        """
        create table accounts.data_keys (
            user_id uuid not null,
            wrapped_key bytea not null,
            created_at timestamptz not null,
            primary key (user_id),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create table accounts.tokens (
            id uuid not null,
            user_id uuid not null,
            kind text not null,
            token_hash text not null,
            email citext,
            previous_email citext,
            expires_at timestamptz not null,
            used_at timestamptz,
            created_at timestamptz not null,
            primary key (id),
            constraint tokens_kind check (kind in ('verify_email', 'reset_password', 'change_email')),
            constraint tokens_email check ((kind = 'change_email') = (email is not null)),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index tokens_expires_at on accounts.tokens (expires_at)
        """
    )
    op.execute(
        """
        create unique index tokens_one_unused on accounts.tokens (user_id, kind) where used_at is null
        """
    )
    op.execute(
        """
        create unique index tokens_token_hash on accounts.tokens (token_hash)
        """
    )
    op.execute(
        """
        create index tokens_user_id on accounts.tokens (user_id)
        """
    )
    op.execute(
        """
        create table accounts.sessions (
            id uuid not null,
            user_id uuid not null,
            device text,
            revoked_at timestamptz,
            expires_at timestamptz not null,
            created_at timestamptz not null,
            primary key (id),
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index sessions_expires_at on accounts.sessions (expires_at)
        """
    )
    op.execute(
        """
        create index sessions_user_id on accounts.sessions (user_id)
        """
    )
    op.execute(
        """
        create table accounts.refresh_tokens (
            token_hash text not null,
            session_id uuid not null,
            replaced_at timestamptz,
            created_at timestamptz not null,
            primary key (token_hash),
            foreign key(session_id) references accounts.sessions (id) on delete cascade
        )
        """
    )
    op.execute(
        """
        create unique index refresh_tokens_one_live on accounts.refresh_tokens (session_id) where replaced_at is null
        """
    )
    op.execute(
        """
        create index refresh_tokens_session_id on accounts.refresh_tokens (session_id)
        """
    )
