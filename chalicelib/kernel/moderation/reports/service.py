"""Reports: by anybody who can see something, once for each person and subject."""

from chalicelib.core import clock, db, ids, paging
from chalicelib.core.auth import Caller
from chalicelib.core.config import ALL_PRODUCTS, config
from chalicelib.core.db import Connection
from chalicelib.core.errors import FieldProblem, NotFound, ValidationFailed
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.moderation import service as moderation
from chalicelib.kernel.moderation.errors import CannotReportOneself
from chalicelib.kernel.moderation.reports import queries
from chalicelib.kernel.moderation.schemas import (
    Report,
    ReportCreate,
    ReportQuery,
    ReportToModerate,
)


def report(unit: Connection, caller: Caller | None, data: ReportCreate) -> Json[Report]:
    """Report something the caller can see; whoever does so again gets their first report.

    ValidationFailed names a product or kind there isn't, NotFound what the caller may not see,
    CannotReportOneself. Two at once: the second fails on the report's key, and is done again.
    """
    # Who asks, and how often, comes before what there is.
    unit.settle()
    reporter = caller.id if caller else None
    kind = _kind_of(data)
    owner = kind.owner(unit, data.subject_id, reporter)
    if owner is None:
        raise NotFound
    with (
        db.refused(db.UNIQUE_VIOLATION, "reports_once_each", db.Again()),
        db.refused(db.CHECK_VIOLATION, "reports_never_oneself", CannotReportOneself()),
    ):
        made = unit.json(
            queries.REPORT,
            report_id=ids.uuid7(),
            case_id=ids.uuid7(),
            owner=owner,
            reporter=reporter,
            now=clock.now(),
            **data.model_dump(),
        )
    if made is None:
        raise RuntimeError("a report always answers one row")
    return made


def _kind_of(data: ReportCreate) -> moderation.Subject:
    if data.product not in config().products:
        raise _wrong("product", "there is no such product")
    kind = moderation.subject_of(data.subject_kind)
    if kind is None:
        raise _wrong("subject_kind", "this can't be reported")
    room = kind.kind.partition(".")[0]
    if room in ALL_PRODUCTS and room != data.product:
        raise _wrong("subject_kind", "this is of another product")
    return kind


def _wrong(field: str, detail: str) -> ValidationFailed:
    return ValidationFailed(problems=(FieldProblem(f"body.{field}", "unknown", detail),))


def own_reports(unit: Connection, caller: Caller, query: PageQuery) -> Json[Page[Report]]:
    """What the caller reported, newest first."""
    return paging.page(unit, queries.OWN, query, reporter=caller.id)


def queue(unit: Connection, product: str, query: ReportQuery) -> Json[Page[ReportToModerate]]:
    """The reports of a product, newest first."""
    return paging.narrowed_page(unit, queries.QUEUE, query, product=product)
