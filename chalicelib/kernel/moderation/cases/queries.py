"""Every statement on cases and the decisions that close them."""

from sqlalchemy import DateTime, Text, Uuid, bindparam, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from chalicelib.core.paging import Narrowed, each
from chalicelib.core.statements import json_object, statement
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.moderation.tables import (
    appeal_outcomes,
    appeals,
    cases,
    decisions,
    reports,
)

NOW = bindparam("now", type_=DateTime(timezone=True))
_CASE = bindparam("case_id", type_=Uuid)
_PRODUCT = bindparam("product", type_=Text)
_CALLER = bindparam("caller", type_=Uuid)
_ASSIGNEE = bindparam("assignee", type_=Uuid)
_this = (cases.c.id == _CASE) & (cases.c.product == _PRODUCT)

_gathered = reports.alias("gathered")
_earlier = decisions.alias("earlier")
_overturned = (
    select(literal(1))
    .select_from(appeals.join(appeal_outcomes, appeal_outcomes.c.appeal_id == appeals.c.id))
    .where(appeals.c.decision_id == _earlier.c.id, appeal_outcomes.c.outcome == "overturned")
    .exists()
)
_shown = (
    cases.c.id,
    cases.c.product,
    cases.c.subject_kind,
    cases.c.subject_id,
    cases.c.reported_user_id,
    cases.c.state,
    cases.c.assignee_id,
    select(func.count())
    .where(_gathered.c.case_id == cases.c.id)
    .scalar_subquery()
    .label("reports"),
    func.array(
        select(_gathered.c.reason)
        .distinct()
        .where(_gathered.c.case_id == cases.c.id)
        .order_by(_gathered.c.reason)
        .scalar_subquery(),
        type_=ARRAY(Text),
    ).label("reasons"),
    select(func.count())
    .where(
        _earlier.c.user_id == cases.c.reported_user_id,
        _earlier.c.action != "dismiss",
        ~_overturned,
    )
    .scalar_subquery()
    .label("decided_before"),
    select(decisions.c.id)
    .where(decisions.c.case_id == cases.c.id)
    .scalar_subquery()
    .label("decision_id"),
    select(decisions.c.action)
    .where(decisions.c.case_id == cases.c.id)
    .scalar_subquery()
    .label("action"),
    cases.c.created_at,
    cases.c.decided_at,
)

QUEUE = Narrowed(
    select(*_shown).where(cases.c.product == _PRODUCT),
    cases.c.id,
    ascending=True,
    state=each(cases.c.state, "open", "decided"),
    assignee_id=cases.c.assignee_id,
)
CASE = json_object(select(*_shown).where(_this))
STATE = statement(select(cases.c.state, cases.c.assignee_id, cases.c.reported_user_id).where(_this))
ASSIGN = statement(
    update(cases)
    .where(
        _this,
        cases.c.state == "open",
        or_(
            _ASSIGNEE.is_(None),
            (cases.c.reported_user_id != _ASSIGNEE)
            & accounts.holds_role(_ASSIGNEE, _PRODUCT, "moderator", "admin"),
        ),
    )
    .values(assignee_id=_ASSIGNEE, updated_at=NOW)
    .returning(cases.c.id)
)

_ACTION = bindparam("action", type_=Text)
_closed = (
    update(cases)
    .where(
        _this,
        cases.c.state == "open",
        cases.c.reported_user_id != _CALLER,
        or_(cases.c.assignee_id.is_(None), cases.c.assignee_id == _CALLER),
        or_(
            _ACTION != "remove_content",
            cases.c.subject_kind != func.all(bindparam("lasting", type_=ARRAY(Text))),
        ),
    )
    .values(
        state="decided",
        assignee_id=func.coalesce(cases.c.assignee_id, _CALLER),
        decided_at=NOW,
        updated_at=NOW,
    )
    .returning(cases.c.id, cases.c.subject_kind, cases.c.subject_id, cases.c.reported_user_id)
    .cte("closed")
)
_decided = (
    insert(decisions)
    .from_select(
        [
            "id", "case_id", "user_id", "action", "reason", "explanation", "decided_by",
            "created_at",
        ],
        select(
            bindparam("decision_id", type_=Uuid), _closed.c.id, _closed.c.reported_user_id,
            _ACTION, bindparam("reason", type_=Text), bindparam("explanation", type_=Text),
            _CALLER, NOW,
        ),
    )
    .returning(decisions.c.id)
    .cte("decided")
)  # fmt: skip
# Of two who decide at once, one closes the case and its decision stands.
DECIDE = statement(
    select(_closed.c.subject_kind, _closed.c.subject_id, _closed.c.reported_user_id).add_cte(
        _decided
    )
)
REPORTERS = statement(
    select(reports.c.reporter_id, reports.c.product, reports.c.id).where(reports.c.case_id == _CASE)
)
