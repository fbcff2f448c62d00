"""Events, attempts, limits and job runs."""

from alembic import op

revision = "20261120000001_core"
down_revision = None


def upgrade() -> None:
    """Runs while the code of the migration before still serves."""
    op.execute(
        """
        create table core.outbox (
            id uuid not null,
            topic text not null,
            payload jsonb not null,
            created_at timestamptz not null,
            attempts integer not null,
            next_send_at timestamptz not null,
            done_at timestamptz,
            primary key (id)
        )
        """
    )
    op.execute(
        """
        create index outbox_done_at on core.outbox (done_at) where done_at is not null
        """
    )
    op.execute(
        """
        create index outbox_not_done on core.outbox (next_send_at) where done_at is null
        """
    )
    op.execute(
        """
        create table core.subscriptions (
            topic text not null,
            subscriber text not null,
            queue text not null,
            primary key (topic, subscriber)
        )
        """
    )
    op.execute(
        """
        create table core.deliveries (
            event_id uuid not null,
            subscriber text not null,
            delivered_at timestamptz not null,
            primary key (event_id, subscriber)
        )
        """
    )
    op.execute(
        """
        create table core.idempotency_keys (
            owner text not null,
            key text not null,
            operation text not null,
            request_hash text not null,
            state text not null,
            status integer,
            body text,
            created_at timestamptz not null,
            expires_at timestamptz not null,
            primary key (owner, key),
            constraint idempotency_keys_state check (state in ('running', 'abandoned', 'done'))
        )
        """
    )
    op.execute(
        """
        create index idempotency_keys_expires_at on core.idempotency_keys (expires_at)
        """
    )
    op.execute(
        """
        create unlogged table core.rate_limits (
            bucket text not null,
            window_ends_at timestamptz not null,
            hits integer not null,
            primary key (bucket, window_ends_at)
        )
        """
    )
    op.execute(
        """
        create table core.job_runs (
            id uuid not null,
            job text not null,
            slot timestamptz not null,
            state text not null,
            rows bigint not null,
            error text,
            lease_until timestamptz not null,
            started_at timestamptz not null,
            finished_at timestamptz,
            primary key (id),
            constraint job_runs_state check (state in ('running', 'done', 'failed', 'lost'))
        )
        """
    )
    op.execute(
        """
        create unique index job_runs_job_slot on core.job_runs (job, slot)
        """
    )
    op.execute(
        """
        create unique index job_runs_one_running on core.job_runs (job) where state = 'running'
        """
    )
    op.execute(
        """
        create table core.settings (
            product text not null,
            key text not null,
            kind text not null,
            value jsonb not null,
            updated_at timestamptz not null,
            updated_by uuid,
            primary key (product, key),
            constraint settings_kind check (kind in ('integer', 'text', 'boolean'))
        )
        """
    )
    op.execute(
        """
        create table core.audit_log (
            id uuid not null,
            actor_id uuid,
            action text not null,
            subject text not null,
            detail jsonb not null,
            at timestamptz not null,
            primary key (id)
        )
        """
    )
    op.execute(
        """
        create index audit_log_actor_id on core.audit_log (actor_id, id)
        """
    )
    op.execute(
        """
        create index audit_log_subject on core.audit_log (subject, id)
        """
    )
    op.execute(
        """
        create function core.refuse_change() returns trigger language plpgsql as $$
        begin
            raise exception 'rows of %.% are never changed', tg_table_schema, tg_table_name
                using errcode = 'restrict_violation';
        end
        $$
        """
    )
    op.execute(
        """
        create trigger audit_log_append_only
            before update or delete or truncate on core.audit_log
            for each statement execute function core.refuse_change()
        """
    )
