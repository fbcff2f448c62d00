"""What comes in and goes out of the moderation operations."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.paging import PageQuery
from chalicelib.core.schemas import Schema

Product = Annotated[str, Field(pattern=r"^[a-z]{1,40}$", examples=["marketplace"])]
SubjectKind = Annotated[
    str, Field(pattern=r"^[a-z]{1,40}\.[a-z_]{1,40}$", examples=["accounts.user"])
]
Reason = Literal[
    "spam",
    "scam",
    "fake",
    "harassment",
    "hate",
    "violence",
    "sexual",
    "minor",
    "illegal",
    "privacy",
    "other",
]
CaseState = Literal["open", "decided"]
Action = Literal["dismiss", "warn", "remove_content", "ban_user"]
Outcome = Literal["upheld", "overturned"]
Explanation = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="What the person is told.",
        examples=["The post offers what our rules forbid."],
    ),
]


class Block(Schema):
    """Somebody the caller blocked."""

    user_id: UUID
    created_at: datetime


class ReportCreate(Schema):
    """Something that is not as it should be."""

    product: Product
    subject_kind: SubjectKind
    subject_id: UUID
    reason: Reason
    detail: str | None = Field(None, min_length=1, max_length=2000)


class Report(Schema):
    """Something the caller reported, and whether it was looked at."""

    id: UUID
    product: Product
    subject_kind: SubjectKind
    subject_id: UUID
    reason: Reason
    state: CaseState
    created_at: datetime


class ReportQuery(PageQuery):
    """Which reports; what is left out does not narrow."""

    state: CaseState | None = None
    subject_kind: SubjectKind | None = None
    case_id: UUID | None = None


class ReportToModerate(Schema):
    """A report, as a moderator sees it."""

    id: UUID
    case_id: UUID
    state: CaseState
    subject_kind: SubjectKind
    subject_id: UUID
    reported_user_id: UUID
    reporter_id: UUID | None = Field(description="Null: nobody signed in reported it.")
    reason: Reason
    detail: str | None
    created_at: datetime


class CaseQuery(PageQuery):
    """Which cases; what is left out does not narrow."""

    state: CaseState = "open"
    assignee_id: UUID | None = None


class Case(Schema):
    """The reports of one subject, and what was decided about it."""

    id: UUID
    product: Product
    subject_kind: SubjectKind
    subject_id: UUID
    reported_user_id: UUID
    state: CaseState
    assignee_id: UUID | None
    reports: int = Field(description="How many reports it gathers.")
    reasons: list[Reason] = Field(description="The reasons they give, each once.")
    decided_before: int = Field(description="How often the person was found wrong before.")
    decision_id: UUID | None
    action: Action | None
    created_at: datetime
    decided_at: datetime | None


class Assignment(Schema):
    """Who looks at a case; null gives it back to all."""

    assignee_id: UUID | None


class DecisionCreate(Schema):
    """What is done about a case, and why."""

    action: Action
    reason: Reason
    explanation: Explanation


class Decision(Schema):
    """What was decided about a case."""

    id: UUID
    case_id: UUID
    action: Action
    reason: Reason
    explanation: str
    created_at: datetime


class OwnDecision(Schema):
    """What was decided about something of the caller's, and what became of an appeal."""

    id: UUID
    product: Product
    subject_kind: SubjectKind
    subject_id: UUID
    action: Action
    reason: Reason
    explanation: str
    appealed_at: datetime | None
    outcome: Outcome | None
    created_at: datetime


class AppealCreate(Schema):
    """Why a decision is wrong."""

    statement: Annotated[
        str, Field(min_length=1, max_length=2000, examples=["The picture is mine."])
    ]


class Appeal(Schema):
    """An appeal against a decision."""

    id: UUID
    decision_id: UUID
    statement: str
    created_at: datetime


class AppealQuery(PageQuery):
    """Which appeals."""

    open: bool = Field(default=True, description="Those without an outcome, or those with one.")


class AppealToModerate(Schema):
    """An appeal, as a moderator sees it."""

    id: UUID
    decision_id: UUID
    case_id: UUID
    subject_kind: SubjectKind
    subject_id: UUID
    user_id: UUID
    action: Action
    reason: Reason
    explanation: str
    decided_by: UUID
    statement: str
    outcome: Outcome | None
    created_at: datetime


class OutcomeCreate(Schema):
    """What becomes of an appeal."""

    outcome: Outcome
    explanation: Explanation


class AppealOutcome(Schema):
    """What became of an appeal."""

    appeal_id: UUID
    outcome: Outcome
    explanation: str
    created_at: datetime
