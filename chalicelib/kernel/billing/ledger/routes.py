"""Credits."""

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import AttemptKey, endpoint
from chalicelib.core.operations import Staff, User
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.ledger import service
from chalicelib.kernel.billing.schemas import (
    CreditGrant,
    CreditQuery,
    Credits,
    CreditTransfer,
    CreditTransferQuery,
    Product,
)

bp = Blueprint(__name__)


@endpoint(bp, "GET", "/v1/billing/credits", caller=User)
def balance(db: Connection, caller: Caller, query: CreditQuery) -> Json[Credits]:
    """One's credits: what came in, what went out, what is left."""
    return service.credits_of(db, caller.id, query.unit)


@endpoint(bp, "GET", "/v1/billing/credit_transfers", caller=User)
def transfers(
    db: Connection, caller: Caller, query: CreditTransferQuery
) -> Json[Page[CreditTransfer]]:
    """What moved one's credits, newest first."""
    return service.transfers_of(db, caller.id, query)


@endpoint(
    bp,
    "POST",
    "/v1/admin/{product}/credit_grants",
    caller=Staff("finance", product="{product}"),
    status=201,
    moves=True,
    errors=(NotFound,),
)
def grant(
    db: Connection, caller: Caller, key: AttemptKey, product: Product, body: CreditGrant
) -> Json[CreditTransfer]:
    """Give somebody credits."""
    return service.grant_by_staff(db, caller, product, key, body)
