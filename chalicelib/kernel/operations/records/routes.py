"""What was done, and what has still to be heard of."""

from chalice.app import Blueprint

from chalicelib.core.db import Connection
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Staff
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.operations.records import service
from chalicelib.kernel.operations.schemas import AuditLine, AuditQuery, Backlog

bp = Blueprint(__name__)


@endpoint(bp, "GET", "/v1/admin/audit_log", caller=Staff())
def audit_log(db: Connection, query: AuditQuery) -> Json[Page[AuditLine]]:
    """Who did what to whose, newest first; of one subject, or by one person."""
    return service.audit_log(db, query)


@endpoint(bp, "GET", "/v1/admin/outbox", caller=Staff())
def backlog(db: Connection) -> Page[Backlog]:
    """The events that somebody has still to hear, by topic."""
    return service.backlog(db)
