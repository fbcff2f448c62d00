"""What was decided about one's doings, and appealing it."""

from typing import Annotated
from uuid import UUID

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Anonymous, Rate, Staff, User
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.moderation.appeals import service
from chalicelib.kernel.moderation.errors import (
    AlreadyAppealed,
    AppealClosed,
    ConflictOfInterest,
)
from chalicelib.kernel.moderation.schemas import (
    Appeal,
    AppealCreate,
    AppealOutcome,
    AppealQuery,
    AppealToModerate,
    OutcomeCreate,
    OwnDecision,
    Product,
)

bp = Blueprint(__name__)

_MODERATOR = Staff("moderator", product="{product}")

AppealToken = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{20,200}$", examples=["x" * 40])]


@endpoint(bp, "GET", "/v1/moderation/decisions", caller=User)
def own_decisions(db: Connection, caller: Caller, query: PageQuery) -> Json[Page[OwnDecision]]:
    """What was decided about one's doings, newest first."""
    return service.own_decisions(db, caller, query)


@endpoint(
    bp,
    "POST",
    "/v1/moderation/decisions/{decision_id}/appeals",
    caller=User,
    status=201,
    errors=(NotFound, AlreadyAppealed),
)
def appeal(db: Connection, caller: Caller, decision_id: UUID, body: AppealCreate) -> Json[Appeal]:
    """Appeal a decision about oneself, once."""
    return service.appeal(db, caller, decision_id, body)


@endpoint(
    bp,
    "POST",
    "/v1/moderation/appeals/{token}",
    caller=Anonymous,
    status=201,
    rates=(Rate(10, 300),),
    errors=(NotFound, AlreadyAppealed),
)
def appeal_by_token(db: Connection, token: AppealToken, body: AppealCreate) -> Json[Appeal]:
    """Appeal by the link in the mail that told of the decision, without signing in."""
    return service.appeal_by_token(db, token, body)


@endpoint(bp, "GET", "/v1/admin/{product}/appeals", caller=_MODERATOR)
def queue(db: Connection, product: Product, query: AppealQuery) -> Json[Page[AppealToModerate]]:
    """The appeals of a product, the longest waiting first."""
    return service.queue(db, product, query)


@endpoint(
    bp,
    "POST",
    "/v1/admin/{product}/appeals/{appeal_id}/outcome",
    caller=_MODERATOR,
    status=201,
    errors=(NotFound, AppealClosed, ConflictOfInterest),
)
def settle(
    db: Connection, caller: Caller, product: Product, appeal_id: UUID, body: OutcomeCreate
) -> AppealOutcome:
    """Decide an appeal against somebody else's decision; what is overturned is undone."""
    return service.settle(db, caller, product, appeal_id, body)
