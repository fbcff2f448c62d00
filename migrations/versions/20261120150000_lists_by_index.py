"""Lists by the indexes that fit their filters; those of a ledger without what is empty."""

from alembic import op

revision = "20261120150000_lists_by_index"
down_revision = "20261120000007_marketplace_prices"


def upgrade() -> None:
    """Runs while the code of the migration before still serves.

    An index that was left half built, because a lock was not to be had, is built again.
    """
    op.execute(
        """
        alter table moderation.appeals add column is_open boolean not null default true
        """
    )
    op.execute(
        """
        update moderation.appeals a set is_open = false
        where exists (select from moderation.appeal_outcomes o where o.appeal_id = a.id)
        """
    )
    with op.get_context().autocommit_block():
        op.execute("drop index concurrently if exists core.rate_limits_window_ends_at")
        op.execute(
            """
            create index concurrently rate_limits_window_ends_at
                on core.rate_limits (window_ends_at)
            """
        )
        op.execute("drop index concurrently if exists core.job_runs_job")
        op.execute(
            """
            create index concurrently job_runs_job on core.job_runs (job, id)
            """
        )
        op.execute("drop index concurrently if exists core.job_runs_job_state")
        op.execute(
            """
            create index concurrently job_runs_job_state on core.job_runs (job, state, id)
            """
        )
        op.execute("drop index concurrently if exists core.job_runs_state_id")
        op.execute(
            """
            create index concurrently job_runs_state_id on core.job_runs (state, id)
            """
        )
        op.execute("drop index concurrently if exists moderation.blocks_blocked_by")
        op.execute(
            """
            create index concurrently blocks_blocked_by
                on moderation.blocks (blocked_id, blocker_id)
            """
        )
        op.execute("drop index concurrently if exists moderation.blocks_newest")
        op.execute(
            """
            create index concurrently blocks_newest
                on moderation.blocks (blocker_id, created_at, blocked_id)
            """
        )
        op.execute("drop index concurrently if exists moderation.cases_assignee")
        op.execute(
            """
            create index concurrently cases_assignee
                on moderation.cases (assignee_id, state, id)
            """
        )
        op.execute("drop index concurrently if exists moderation.reports_subject_kind")
        op.execute(
            """
            create index concurrently reports_subject_kind
                on moderation.reports (product, subject_kind, id)
            """
        )
        op.execute("drop index concurrently if exists moderation.appeals_open")
        op.execute(
            """
            create index concurrently appeals_open
                on moderation.appeals (product, id) where is_open
            """
        )
        op.execute("drop index concurrently if exists billing.checkouts_product_state")
        op.execute(
            """
            create index concurrently checkouts_product_state
                on billing.checkouts (product, state, created_at, id)
            """
        )
        op.execute("drop index concurrently if exists billing.checkouts_product_purpose")
        op.execute(
            """
            create index concurrently checkouts_product_purpose
                on billing.checkouts (product, purpose, created_at, id)
            """
        )
        op.execute("drop index concurrently if exists billing.payments_product_state")
        op.execute(
            """
            create index concurrently payments_product_state
                on billing.payments (product, state, paid_at, id)
            """
        )
        op.execute("drop index concurrently if exists billing.payments_product_kind")
        op.execute(
            """
            create index concurrently payments_product_kind
                on billing.payments (product, kind, paid_at, id)
            """
        )
        op.execute("drop index concurrently if exists billing.failed_transactions_failed_at")
        op.execute(
            """
            create index concurrently failed_transactions_failed_at
                on billing.failed_transactions (failed_at, id)
            """
        )
        op.execute("drop index concurrently if exists billing.disputes_created_at")
        op.execute(
            """
            create index concurrently disputes_created_at
                on billing.disputes (created_at, id)
            """
        )
        op.execute("drop index concurrently if exists billing.disputes_state_created_at")
        op.execute(
            """
            create index concurrently disputes_state_created_at
                on billing.disputes (state, created_at, id)
            """
        )
        op.execute("drop index concurrently if exists billing.webhook_events_type")
        op.execute(
            """
            create index concurrently webhook_events_type
                on billing.webhook_events (type, id)
            """
        )
        op.execute("drop index concurrently if exists billing.webhook_events_type_state")
        op.execute(
            """
            create index concurrently webhook_events_type_state
                on billing.webhook_events (type, state, id)
            """
        )
        op.execute("drop index concurrently if exists billing.credit_transfers_of_payment")
        op.execute(
            """
            create index concurrently credit_transfers_of_payment
                on billing.credit_transfers (payment_id) where payment_id is not null
            """
        )
        op.execute("drop index concurrently if exists billing.credit_transfers_reversing")
        op.execute(
            """
            create index concurrently credit_transfers_reversing
                on billing.credit_transfers (reverses) where reverses is not null
            """
        )
        op.execute("drop index concurrently if exists billing.credit_transfers_by_actor")
        op.execute(
            """
            create index concurrently credit_transfers_by_actor
                on billing.credit_transfers (actor_id) where actor_id is not null
            """
        )
        op.execute("drop index concurrently if exists moderation.blocks_blocked_id")
        op.execute("drop index concurrently if exists moderation.cases_assignee_id")
        op.execute("drop index concurrently if exists billing.payments_state")
        op.execute("drop index concurrently if exists billing.credit_transfers_payment_id")
        op.execute("drop index concurrently if exists billing.credit_transfers_reverses")
        op.execute("drop index concurrently if exists billing.credit_transfers_actor_id")
