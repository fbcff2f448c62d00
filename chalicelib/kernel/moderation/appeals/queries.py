"""Every statement on appeals, and on decisions as the person they are about sees them."""

from sqlalchemy import (
    DateTime,
    Text,
    Uuid,
    and_,
    bindparam,
    false,
    insert,
    select,
    true,
    update,
)

from chalicelib.core.paging import Narrowed, PagedStatement
from chalicelib.core.statements import json_object, statement
from chalicelib.kernel.moderation.tables import appeal_outcomes, appeals, cases, decisions

NOW = bindparam("now", type_=DateTime(timezone=True))
_CALLER = bindparam("caller", type_=Uuid)
_DECISION = bindparam("decision_id", type_=Uuid)
_APPEAL = bindparam("appeal_id", type_=Uuid)
_PRODUCT = bindparam("product", type_=Text)

_with_appeal = decisions.join(cases, cases.c.id == decisions.c.case_id).outerjoin(
    appeals.outerjoin(appeal_outcomes, appeal_outcomes.c.appeal_id == appeals.c.id),
    appeals.c.decision_id == decisions.c.id,
)
# A dismissed report is nothing the person ever learns of.
OWN_DECISIONS = PagedStatement(
    select(
        decisions.c.id,
        cases.c.product,
        cases.c.subject_kind,
        cases.c.subject_id,
        decisions.c.action,
        decisions.c.reason,
        decisions.c.explanation,
        appeals.c.created_at.label("appealed_at"),
        appeal_outcomes.c.outcome,
        decisions.c.created_at,
    )
    .select_from(_with_appeal)
    .where(decisions.c.user_id == _CALLER, decisions.c.action != "dismiss"),
    decisions.c.id,
)
APPEAL = json_object(
    select(
        insert(appeals)
        .from_select(
            ["id", "decision_id", "user_id", "product", "statement", "is_open", "created_at"],
            select(
                _APPEAL,
                decisions.c.id,
                decisions.c.user_id,
                cases.c.product,
                bindparam("words", type_=Text),
                true(),
                NOW,
            )
            .join(cases, cases.c.id == decisions.c.case_id)
            .where(
                decisions.c.id == _DECISION,
                decisions.c.action != "dismiss",
                # Null: a signed token names the decision instead.
                (decisions.c.user_id == _CALLER) | _CALLER.is_(None),
            ),
        )
        .returning(appeals.c.id, appeals.c.decision_id, appeals.c.statement, appeals.c.created_at)
        .cte("appealed")
    )
)

_about = (
    appeals.join(decisions, decisions.c.id == appeals.c.decision_id)
    .join(cases, cases.c.id == decisions.c.case_id)
    .outerjoin(appeal_outcomes, appeal_outcomes.c.appeal_id == appeals.c.id)
)
QUEUE = Narrowed(
    select(
        appeals.c.id,
        appeals.c.decision_id,
        decisions.c.case_id,
        cases.c.subject_kind,
        cases.c.subject_id,
        appeals.c.user_id,
        decisions.c.action,
        decisions.c.reason,
        decisions.c.explanation,
        decisions.c.decided_by,
        appeals.c.statement,
        appeal_outcomes.c.outcome,
        appeals.c.created_at,
    )
    .select_from(_about)
    .where(appeals.c.product == _PRODUCT),
    appeals.c.id,
    ascending=True,
    open={
        True: and_(appeals.c.is_open, appeal_outcomes.c.appeal_id.is_(None)),
        False: appeal_outcomes.c.appeal_id.is_not(None),
    },
)
_settled = (
    insert(appeal_outcomes)
    .from_select(
        ["appeal_id", "user_id", "outcome", "explanation", "decided_by", "created_at"],
        select(
            appeals.c.id,
            appeals.c.user_id,
            bindparam("outcome", type_=Text),
            bindparam("explanation", type_=Text),
            _CALLER,
            NOW,
        )
        .join(decisions, decisions.c.id == appeals.c.decision_id)
        .where(
            appeals.c.id == _APPEAL,
            appeals.c.product == _PRODUCT,
            decisions.c.decided_by != _CALLER,
            appeals.c.user_id != _CALLER,
        ),
    )
    .returning(appeal_outcomes.c.appeal_id)
    .cte("settled")
)
_closed = (
    update(appeals)
    .where(appeals.c.id == _settled.c.appeal_id)
    .values(is_open=false())
    .returning(appeals.c.id)
    .cte("closed")
)
SETTLE = statement(
    select(
        decisions.c.id,
        decisions.c.user_id,
        decisions.c.action,
        cases.c.subject_kind,
        cases.c.subject_id,
    )
    .select_from(
        _settled.join(appeals, appeals.c.id == _settled.c.appeal_id)
        .join(decisions, decisions.c.id == appeals.c.decision_id)
        .join(cases, cases.c.id == decisions.c.case_id)
    )
    .add_cte(_closed)
)
EXISTS = statement(
    select(appeals.c.id).where(appeals.c.id == _APPEAL, appeals.c.product == _PRODUCT)
)
