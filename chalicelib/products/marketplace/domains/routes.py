"""Showing that a domain is one's own."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Rate, User, Verified
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.products.marketplace.domains import service
from chalicelib.products.marketplace.domains.schemas import (
    DomainVerification,
    DomainVerificationCreate,
)

bp = Blueprint(__name__)

_PATH = "/v1/marketplace/domain_verifications"
_ONE = _PATH + "/{verification_id}"
_HOUR = 3600


@endpoint(
    bp, "POST", _PATH, caller=Verified, status=201, rates=(Rate(20, 24 * _HOUR, by="caller"),)
)
def begin(
    db: Connection, caller: Caller, body: DomainVerificationCreate
) -> Json[DomainVerification]:
    """Get the code to put up at a domain; the same again for a domain one has asked for before."""
    return service.begin(db, caller, body)


@endpoint(bp, "GET", _PATH, caller=User)
def verifications(
    db: Connection, caller: Caller, query: PageQuery
) -> Json[Page[DomainVerification]]:
    """One's domains, newest first."""
    return service.verifications(db, caller, query)


@endpoint(bp, "GET", _ONE, caller=User, errors=(NotFound,))
def get(db: Connection, caller: Caller, verification_id: UUID) -> Json[DomainVerification]:
    """One of one's domains."""
    return service.verification(db, caller, verification_id)


@endpoint(
    bp,
    "POST",
    _ONE + "/checks",
    caller=Verified,
    status=202,
    rates=(Rate(20, _HOUR, by="caller"),),
    errors=(NotFound,),
)
def request_check(
    db: Connection, caller: Caller, verification_id: UUID
) -> Json[DomainVerification]:
    """Have it looked at whether the code is up; the answer shows in the domain a moment later."""
    return service.request_check(db, caller, verification_id)


@endpoint(bp, "DELETE", _ONE, caller=User, status=204, errors=(NotFound,))
def delete(db: Connection, caller: Caller, verification_id: UUID) -> None:
    """Forget a domain; one's posts lose its mark."""
    service.delete(db, caller, verification_id)
