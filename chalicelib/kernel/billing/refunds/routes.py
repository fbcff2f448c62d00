"""Giving money back."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Transactions
from chalicelib.core.errors import NotFound
from chalicelib.core.http import AttemptKey, endpoint
from chalicelib.core.operations import Staff
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.errors import RefundRefused, RefundTooLarge
from chalicelib.kernel.billing.payments.schemas import Refund
from chalicelib.kernel.billing.refunds import service
from chalicelib.kernel.billing.refunds.schemas import RefundCreate
from chalicelib.kernel.billing.refunds.service import Wanted
from chalicelib.kernel.billing.schemas import Product

bp = Blueprint(__name__)


@endpoint(
    bp,
    "POST",
    "/v1/admin/{product}/payments/{payment_id}/refunds",
    caller=Staff("finance", product="{product}"),
    status=201,
    moves=True,
    errors=(NotFound, RefundTooLarge, RefundRefused),
)
def create(  # noqa: PLR0917  what a handler is given it takes by position
    transactions: Transactions,
    caller: Caller,
    key: AttemptKey,
    product: Product,
    payment_id: UUID,
    body: RefundCreate,
) -> Json[Refund]:
    """Give a payment back, whole or in part; what it granted is taken back in proportion."""
    wanted = Wanted(product, payment_id, key, body)
    return service.refund(transactions, caller, wanted)
