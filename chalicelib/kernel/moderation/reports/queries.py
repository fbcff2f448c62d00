"""Every statement on reports."""

from sqlalchemy import (
    DateTime,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from chalicelib.core.paging import Narrowed, PagedStatement, each
from chalicelib.core.statements import json_object
from chalicelib.kernel.moderation.tables import cases, reports

NOW = bindparam("now", type_=DateTime(timezone=True))
_REPORT = bindparam("report_id", type_=Uuid)
_PRODUCT = bindparam("product", type_=Text)
_KIND = bindparam("subject_kind", type_=Text)
_SUBJECT = bindparam("subject_id", type_=Uuid)
_OWNER = bindparam("owner", type_=Uuid)
_REPORTER = bindparam("reporter", type_=Uuid)

_known = (
    select(reports)
    .where(
        reports.c.reporter_id == _REPORTER,
        reports.c.product == _PRODUCT,
        reports.c.subject_kind == _KIND,
        reports.c.subject_id == _SUBJECT,
    )
    .cte("known")
)
# The open case of the subject, or a new one; it is held, so that nobody decides it meanwhile.
_opened = (
    insert(cases)
    .from_select(
        [
            "id", "product", "subject_kind", "subject_id", "reported_user_id", "state",
            "created_at", "updated_at",
        ],
        select(
            bindparam("case_id", type_=Uuid), _PRODUCT, _KIND, _SUBJECT, _OWNER, literal("open"),
            NOW, NOW,
        ).where(~select(_known.c.id).exists()),
    )
    .on_conflict_do_update(
        index_elements=[cases.c.product, cases.c.subject_kind, cases.c.subject_id],
        index_where=cases.c.state == literal_column("'open'"),
        set_={"updated_at": NOW},
    )
    .returning(cases.c.id)
    .cte("opened")
)  # fmt: skip
_reported = (
    insert(reports)
    .from_select(
        [
            "id", "case_id", "product", "subject_kind", "subject_id", "reported_user_id",
            "reporter_id", "reason", "detail", "created_at",
        ],
        select(
            _REPORT, _opened.c.id, _PRODUCT, _KIND, _SUBJECT, _OWNER, _REPORTER,
            bindparam("reason", type_=Text), bindparam("detail", type_=Text), NOW,
        ),
    )
    .returning(reports)
    .cte("reported")
)  # fmt: skip
_both = union_all(
    select(
        *(_reported.c[name] for name in ("id", "product", "subject_kind", "subject_id", "reason")),
        literal("open").label("state"),
        _reported.c.created_at,
    ),
    select(
        *(_known.c[name] for name in ("id", "product", "subject_kind", "subject_id", "reason")),
        select(cases.c.state).where(cases.c.id == _known.c.case_id).scalar_subquery(),
        _known.c.created_at,
    ),
).subquery("both")

# One statement: the report that was made before, or a new one in the subject's open case.
REPORT = json_object(select(_both))

_shown = (
    reports.c.id,
    reports.c.product,
    reports.c.subject_kind,
    reports.c.subject_id,
    reports.c.reason,
    cases.c.state,
    reports.c.created_at,
)
OWN = PagedStatement(
    select(*_shown)
    .join(cases, cases.c.id == reports.c.case_id)
    .where(reports.c.reporter_id == _REPORTER),
    reports.c.id,
)

# Few cases are open at a time: their reports are found by them.
_state = each(cases.c.state, "open", "decided")
_open_cases = func.array(
    select(cases.c.id).where(cases.c.product == _PRODUCT, _state["open"]).scalar_subquery()
)
QUEUE = Narrowed(
    select(
        reports.c.id,
        reports.c.case_id,
        cases.c.state,
        reports.c.subject_kind,
        reports.c.subject_id,
        reports.c.reported_user_id,
        reports.c.reporter_id,
        reports.c.reason,
        reports.c.detail,
        reports.c.created_at,
    )
    .join(cases, cases.c.id == reports.c.case_id)
    .where(reports.c.product == _PRODUCT),
    reports.c.id,
    state=_state | {"open": and_(_state["open"], reports.c.case_id == func.any(_open_cases))},
    subject_kind=reports.c.subject_kind,
    case_id=reports.c.case_id == bindparam("case_id", type_=Uuid),
)
