"""Credits."""

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.http import endpoint
from chalicelib.core.operations import User
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.ledger import service
from chalicelib.kernel.billing.schemas import CreditQuery, Credits

bp = Blueprint(__name__)


@endpoint(bp, "GET", "/v1/billing/credits", caller=User)
def balance(db: Connection, caller: Caller, query: CreditQuery) -> Json[Credits]:
    """One's credits: what came in, what went out, what is left."""
    return service.credits_of(db, caller.id, query.unit)
