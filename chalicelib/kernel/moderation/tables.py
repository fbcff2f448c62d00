"""Who wants nothing to do with whom; what was reported, decided and appealed."""

from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Table,
    TypedColumns,
    Uuid,
    text,
)

from chalicelib.core.columns import (
    Fate,
    identifier,
    metadata,
    moment,
    moment_or_none,
    reference,
    reference_or_none,
    words,
    words_or_none,
)

SCHEMA = "moderation"
_REASONS = (
    "('spam', 'scam', 'fake', 'harassment', 'hate', 'violence', 'sexual', 'minor', 'illegal',"
    " 'privacy', 'other')"
)


def _moderator() -> Column[UUID]:
    """Who decided: whom it is about is never shown, nor given in what they download."""
    return Column(
        Uuid,
        ForeignKey("accounts.users.id", ondelete="RESTRICT"),
        nullable=False,
        info={"secret": True},
    )


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
    Index("blocks_blocked_by", "blocked_id", "blocker_id"),
    Index("blocks_newest", "blocker_id", "created_at", "blocked_id"),
    schema=SCHEMA,
    info={"owner": "blocker_id"},
)


class CaseColumns(TypedColumns):
    """What moderators decide about: the reports of one subject, until a decision closes it."""

    id = identifier(primary_key=True)
    product = words(Fate.NOT_PERSONAL)
    subject_kind = words(Fate.NOT_PERSONAL)
    subject_id = Column(Uuid, nullable=False)
    reported_user_id = reference("accounts.users.id")
    state = words(Fate.NOT_PERSONAL)
    assignee_id = reference_or_none("accounts.users.id")
    decided_at = moment_or_none()
    created_at = moment()
    updated_at = moment()


cases = Table(
    "cases",
    metadata,
    CaseColumns,
    CheckConstraint("state in ('open', 'decided')", name="cases_state"),
    CheckConstraint("(state = 'decided') = (decided_at is not null)", name="cases_decided"),
    Index(
        "cases_one_open",
        "product",
        "subject_kind",
        "subject_id",
        unique=True,
        postgresql_where=text("state = 'open'"),
    ),
    Index("cases_queue", "product", "state", "id"),
    Index("cases_reported_user_id", "reported_user_id"),
    Index("cases_assignee", "assignee_id", "state", "id"),
    schema=SCHEMA,
)


class ReportColumns(TypedColumns):
    """That somebody found something wrong; without a reporter, nobody signed in did."""

    id = identifier(primary_key=True)
    case_id = reference("moderation.cases.id")
    product = words(Fate.NOT_PERSONAL)
    subject_kind = words(Fate.NOT_PERSONAL)
    subject_id = Column(Uuid, nullable=False)
    reported_user_id = reference("accounts.users.id")
    reporter_id = reference_or_none("accounts.users.id")
    reason = words(Fate.NOT_PERSONAL)
    detail = words_or_none(Fate.BLANK)
    created_at = moment()


reports = Table(
    "reports",
    metadata,
    ReportColumns,
    CheckConstraint(f"reason in {_REASONS}", name="reports_reason"),
    CheckConstraint("reporter_id <> reported_user_id", name="reports_never_oneself"),
    Index(
        "reports_once_each",
        "reporter_id",
        "product",
        "subject_kind",
        "subject_id",
        unique=True,
    ),
    Index("reports_reporter_id", "reporter_id", "id"),
    Index("reports_case_id", "case_id", "id"),
    Index("reports_product", "product", "id"),
    Index("reports_subject_kind", "product", "subject_kind", "id"),
    Index("reports_reported_user_id", "reported_user_id"),
    schema=SCHEMA,
    info={"owner": "reporter_id"},
)


class DecisionColumns(TypedColumns):
    """What a moderator decided about somebody's doing, and why. Never changed."""

    id = identifier(primary_key=True)
    case_id = reference("moderation.cases.id")
    user_id = reference("accounts.users.id")
    action = words(Fate.NOT_PERSONAL)
    reason = words(Fate.NOT_PERSONAL)
    explanation = words(Fate.BLANK)
    decided_by = _moderator()
    created_at = moment()


decisions = Table(
    "decisions",
    metadata,
    DecisionColumns,
    CheckConstraint(
        "action in ('dismiss', 'warn', 'remove_content', 'ban_user')", name="decisions_action"
    ),
    CheckConstraint(f"reason in {_REASONS}", name="decisions_reason"),
    CheckConstraint("decided_by <> user_id", name="decisions_never_oneself"),
    Index("decisions_case_id", "case_id", unique=True),
    Index("decisions_user_id", "user_id", "id"),
    Index("decisions_decided_by", "decided_by"),
    schema=SCHEMA,
    info={"owner": "user_id"},
)


class AppealColumns(TypedColumns):
    """Why the person a decision is about finds it wrong; one for each decision."""

    id = identifier(primary_key=True)
    decision_id = reference("moderation.decisions.id")
    user_id = reference("accounts.users.id")
    product = words(Fate.NOT_PERSONAL)
    statement = words(Fate.BLANK)
    # That it has no outcome yet, so that those who wait are found without those who don't.
    is_open = Column(Boolean, nullable=False, server_default=text("true"))
    created_at = moment()


appeals = Table(
    "appeals",
    metadata,
    AppealColumns,
    Index("appeals_decision_id", "decision_id", unique=True),
    Index("appeals_user_id", "user_id"),
    Index("appeals_product", "product", "id"),
    Index("appeals_open", "product", "id", postgresql_where=text("is_open")),
    schema=SCHEMA,
    info={"owner": "user_id"},
)


class AppealOutcomeColumns(TypedColumns):
    """What another moderator made of an appeal. Never changed."""

    appeal_id = reference("moderation.appeals.id", primary_key=True)
    user_id = reference("accounts.users.id")
    outcome = words(Fate.NOT_PERSONAL)
    explanation = words(Fate.BLANK)
    decided_by = _moderator()
    created_at = moment()


appeal_outcomes = Table(
    "appeal_outcomes",
    metadata,
    AppealOutcomeColumns,
    CheckConstraint("outcome in ('upheld', 'overturned')", name="appeal_outcomes_outcome"),
    CheckConstraint("decided_by <> user_id", name="appeal_outcomes_never_oneself"),
    Index("appeal_outcomes_user_id", "user_id"),
    Index("appeal_outcomes_decided_by", "decided_by"),
    schema=SCHEMA,
    info={"owner": "user_id"},
)
