"""The catalogue, for staff."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Staff
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.errors import PriceExists
from chalicelib.kernel.billing.prices import service
from chalicelib.kernel.billing.prices.schemas import PriceChange, PriceCreate, StaffPrice
from chalicelib.kernel.billing.schemas import Product

bp = Blueprint(__name__)

_FINANCE = Staff("finance", product="{product}")


@endpoint(bp, "GET", "/v1/admin/{product}/prices", caller=_FINANCE)
def search(db: Connection, product: Product, query: PageQuery) -> Json[Page[StaffPrice]]:
    """What the product sells, archived prices included."""
    return service.list_prices(db, product, query)


@endpoint(
    bp,
    "POST",
    "/v1/admin/{product}/prices",
    caller=_FINANCE,
    status=201,
    errors=(NotFound, PriceExists),
)
def create(db: Connection, caller: Caller, product: Product, body: PriceCreate) -> Json[StaffPrice]:
    """Put something on sale."""
    return service.create(db, caller, product, body)


@endpoint(
    bp,
    "PATCH",
    "/v1/admin/{product}/prices/{price_id}",
    caller=_FINANCE,
    errors=(NotFound,),
)
def change(
    db: Connection, caller: Caller, product: Product, price_id: UUID, body: PriceChange
) -> Json[StaffPrice]:
    """Change a price; checkouts that are open keep theirs."""
    return service.change(db, caller, product, price_id, body)


@endpoint(
    bp,
    "POST",
    "/v1/admin/{product}/prices/{price_id}/archive",
    caller=_FINANCE,
    errors=(NotFound,),
)
def archive(db: Connection, caller: Caller, product: Product, price_id: UUID) -> Json[StaffPrice]:
    """Sell something no more."""
    return service.archive(db, caller, product, price_id)
