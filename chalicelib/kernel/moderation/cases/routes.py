"""Deciding about what was reported."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Staff
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts.errors import StaffAbove
from chalicelib.kernel.moderation.cases import service
from chalicelib.kernel.moderation.errors import (
    CaseAssigned,
    CaseClosed,
    ConflictOfInterest,
    NotAModerator,
    NotRemovable,
)
from chalicelib.kernel.moderation.schemas import (
    Assignment,
    Case,
    CaseQuery,
    Decision,
    DecisionCreate,
    Product,
)

bp = Blueprint(__name__)

_MODERATOR = Staff("moderator", product="{product}")


@endpoint(bp, "GET", "/v1/admin/{product}/cases", caller=_MODERATOR)
def queue(db: Connection, product: Product, query: CaseQuery) -> Json[Page[Case]]:
    """The cases of a product, the longest waiting first."""
    return service.queue(db, product, query)


@endpoint(bp, "GET", "/v1/admin/{product}/cases/{case_id}", caller=_MODERATOR, errors=(NotFound,))
def get(db: Connection, product: Product, case_id: UUID) -> Json[Case]:
    """A case; its reports are listed under reports."""
    return service.case(db, product, case_id)


@endpoint(
    bp,
    "PUT",
    "/v1/admin/{product}/cases/{case_id}/assignee",
    caller=_MODERATOR,
    errors=(NotFound, CaseClosed, NotAModerator),
)
def assign(
    db: Connection, caller: Caller, product: Product, case_id: UUID, body: Assignment
) -> Json[Case]:
    """Give a case to a moderator, or back to all."""
    return service.assign(db, caller, product, case_id, body.assignee_id)


@endpoint(
    bp,
    "POST",
    "/v1/admin/{product}/cases/{case_id}/decisions",
    caller=_MODERATOR,
    status=201,
    errors=(
        NotFound,
        CaseClosed,
        CaseAssigned,
        ConflictOfInterest,
        NotRemovable,
        StaffAbove,
    ),
)
def decide(
    db: Connection, caller: Caller, product: Product, case_id: UUID, body: DecisionCreate
) -> Decision:
    """Decide a case, with a reason; the person it is about is told and may appeal."""
    return service.decide(db, caller, product, case_id, body)
