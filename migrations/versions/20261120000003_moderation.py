"""Blocks, reports, cases, decisions and appeals."""

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
    op.execute(
        """
        create table moderation.cases (
            id uuid not null,
            product text not null,
            subject_kind text not null,
            subject_id uuid not null,
            reported_user_id uuid not null,
            state text not null,
            assignee_id uuid,
            decided_at timestamptz,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            primary key (id),
            constraint cases_state check (state in ('open', 'decided')),
            constraint cases_decided check ((state = 'decided') = (decided_at is not null)),
            foreign key(reported_user_id) references accounts.users (id) on delete restrict,
            foreign key(assignee_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index cases_assignee_id on moderation.cases (assignee_id)
        """
    )
    op.execute(
        """
        create unique index cases_one_open on moderation.cases (product, subject_kind, subject_id) where state = 'open'
        """
    )
    op.execute(
        """
        create index cases_queue on moderation.cases (product, state, id)
        """
    )
    op.execute(
        """
        create index cases_reported_user_id on moderation.cases (reported_user_id)
        """
    )
    op.execute(
        """
        create table moderation.decisions (
            id uuid not null,
            case_id uuid not null,
            user_id uuid not null,
            action text not null,
            reason text not null,
            explanation text not null,
            decided_by uuid not null,
            created_at timestamptz not null,
            primary key (id),
            constraint decisions_action check (action in ('dismiss', 'warn', 'remove_content', 'ban_user')),
            constraint decisions_reason check (reason in ('spam', 'scam', 'fake', 'harassment', 'hate', 'violence', 'sexual', 'minor', 'illegal', 'privacy', 'other')),
            constraint decisions_never_oneself check (decided_by <> user_id),
            foreign key(case_id) references moderation.cases (id) on delete restrict,
            foreign key(user_id) references accounts.users (id) on delete restrict,
            foreign key(decided_by) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create unique index decisions_case_id on moderation.decisions (case_id)
        """
    )
    op.execute(
        """
        create index decisions_decided_by on moderation.decisions (decided_by)
        """
    )
    op.execute(
        """
        create index decisions_user_id on moderation.decisions (user_id, id)
        """
    )
    op.execute(
        """
        create table moderation.reports (
            id uuid not null,
            case_id uuid not null,
            product text not null,
            subject_kind text not null,
            subject_id uuid not null,
            reported_user_id uuid not null,
            reporter_id uuid,
            reason text not null,
            detail text,
            created_at timestamptz not null,
            primary key (id),
            constraint reports_reason check (reason in ('spam', 'scam', 'fake', 'harassment', 'hate', 'violence', 'sexual', 'minor', 'illegal', 'privacy', 'other')),
            constraint reports_never_oneself check (reporter_id <> reported_user_id),
            foreign key(case_id) references moderation.cases (id) on delete restrict,
            foreign key(reported_user_id) references accounts.users (id) on delete restrict,
            foreign key(reporter_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index reports_case_id on moderation.reports (case_id, id)
        """
    )
    op.execute(
        """
        create unique index reports_once_each on moderation.reports (reporter_id, product, subject_kind, subject_id)
        """
    )
    op.execute(
        """
        create index reports_product on moderation.reports (product, id)
        """
    )
    op.execute(
        """
        create index reports_reported_user_id on moderation.reports (reported_user_id)
        """
    )
    op.execute(
        """
        create index reports_reporter_id on moderation.reports (reporter_id, id)
        """
    )
    op.execute(
        """
        create table moderation.appeals (
            id uuid not null,
            decision_id uuid not null,
            user_id uuid not null,
            product text not null,
            statement text not null,
            created_at timestamptz not null,
            primary key (id),
            foreign key(decision_id) references moderation.decisions (id) on delete restrict,
            foreign key(user_id) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create unique index appeals_decision_id on moderation.appeals (decision_id)
        """
    )
    op.execute(
        """
        create index appeals_product on moderation.appeals (product, id)
        """
    )
    op.execute(
        """
        create index appeals_user_id on moderation.appeals (user_id)
        """
    )
    op.execute(
        """
        create table moderation.appeal_outcomes (
            appeal_id uuid not null,
            user_id uuid not null,
            outcome text not null,
            explanation text not null,
            decided_by uuid not null,
            created_at timestamptz not null,
            primary key (appeal_id),
            constraint appeal_outcomes_outcome check (outcome in ('upheld', 'overturned')),
            constraint appeal_outcomes_never_oneself check (decided_by <> user_id),
            foreign key(appeal_id) references moderation.appeals (id) on delete restrict,
            foreign key(user_id) references accounts.users (id) on delete restrict,
            foreign key(decided_by) references accounts.users (id) on delete restrict
        )
        """
    )
    op.execute(
        """
        create index appeal_outcomes_decided_by on moderation.appeal_outcomes (decided_by)
        """
    )
    op.execute(
        """
        create index appeal_outcomes_user_id on moderation.appeal_outcomes (user_id)
        """
    )
    op.execute(
        """
        create trigger decisions_append_only
            before update of id, case_id, user_id, action, reason, decided_by, created_at or delete or truncate
            on moderation.decisions
            for each statement execute function core.refuse_change()
        """
    )
    op.execute(
        """
        create trigger appeal_outcomes_append_only
            before update of appeal_id, user_id, outcome, decided_by, created_at or delete or truncate
            on moderation.appeal_outcomes
            for each statement execute function core.refuse_change()
        """
    )
