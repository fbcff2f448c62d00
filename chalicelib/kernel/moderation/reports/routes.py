"""Reporting what is not as it should be."""

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Optional, Rate, Staff, User
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.moderation.errors import CannotReportOneself
from chalicelib.kernel.moderation.reports import service
from chalicelib.kernel.moderation.schemas import (
    Product,
    Report,
    ReportCreate,
    ReportQuery,
    ReportToModerate,
)

bp = Blueprint(__name__)

_FROM_ONE_ADDRESS = (Rate(10, 60), Rate(60, 3600))


@endpoint(
    bp,
    "POST",
    "/v1/moderation/reports",
    caller=Optional,
    status=201,
    rates=_FROM_ONE_ADDRESS,
    errors=(NotFound, CannotReportOneself),
)
def report(db: Connection, caller: Caller | None, body: ReportCreate) -> Json[Report]:
    """Report somebody or something; once for each person, signed in or not."""
    return service.report(db, caller, body)


@endpoint(bp, "GET", "/v1/moderation/reports", caller=User)
def own_reports(db: Connection, caller: Caller, query: PageQuery) -> Json[Page[Report]]:
    """What one has reported, newest first, and whether it was looked at."""
    return service.own_reports(db, caller, query)


@endpoint(
    bp,
    "GET",
    "/v1/admin/{product}/reports",
    caller=Staff("moderator", product="{product}"),
)
def queue(db: Connection, product: Product, query: ReportQuery) -> Json[Page[ReportToModerate]]:
    """The reports of a product, newest first."""
    return service.queue(db, product, query)
