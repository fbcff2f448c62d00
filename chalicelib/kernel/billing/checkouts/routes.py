"""What is for sale, and buying it."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import NotFound
from chalicelib.core.http import AttemptKey, endpoint
from chalicelib.core.operations import Anonymous, User, Verified
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.checkouts import service
from chalicelib.kernel.billing.errors import PriceNotFound
from chalicelib.kernel.billing.payments import service as paid
from chalicelib.kernel.billing.prices import service as catalogue
from chalicelib.kernel.billing.schemas import (
    Checkout,
    CheckoutCreate,
    Payment,
    Price,
    PriceQuery,
)

bp = Blueprint(__name__)


@endpoint(bp, "GET", "/v1/billing/prices", caller=Anonymous)
def prices(db: Connection, query: PriceQuery) -> Json[Page[Price]]:
    """What a product sells, in the order it is shown."""
    return catalogue.prices(db, query)


@endpoint(
    bp,
    "POST",
    "/v1/billing/checkouts",
    caller=Verified,
    status=201,
    moves=True,
    errors=(PriceNotFound,),
)
def create(
    transactions: Transactions, caller: Caller, key: AttemptKey, body: CheckoutCreate
) -> Json[Checkout]:
    """Begin to buy something; it is paid on the page at `url`."""
    return service.buy(transactions, caller, key, body)


@endpoint(bp, "GET", "/v1/billing/checkouts/{checkout_id}", caller=User, errors=(NotFound,))
def get(db: Connection, caller: Caller, checkout_id: UUID) -> Json[Checkout]:
    """One of one's own checkouts."""
    return service.checkout(db, caller, checkout_id)


@endpoint(bp, "GET", "/v1/billing/payments", caller=User)
def payments(db: Connection, caller: Caller, query: PageQuery) -> Json[Page[Payment]]:
    """What one has paid, newest first."""
    return paid.payments(db, caller, query)
