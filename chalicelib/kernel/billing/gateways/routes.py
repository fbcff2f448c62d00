"""Payment gateways, for those who run the deployment. No answer holds a secret."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Staff
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.errors import GatewayExists
from chalicelib.kernel.billing.gateways import service
from chalicelib.kernel.billing.gateways.schemas import (
    PaymentGateway,
    PaymentGatewayChange,
    PaymentGatewayCreate,
)

bp = Blueprint(__name__)


@endpoint(bp, "GET", "/v1/admin/payment_gateways", caller=Staff())
def search(db: Connection, query: PageQuery) -> Json[Page[PaymentGateway]]:
    """The accounts that take payments, newest first."""
    return service.list_gateways(db, query)


@endpoint(
    bp,
    "POST",
    "/v1/admin/payment_gateways",
    caller=Staff(),
    status=201,
    errors=(GatewayExists,),
)
def create(db: Connection, caller: Caller, body: PaymentGatewayCreate) -> Json[PaymentGateway]:
    """Add an account that takes payments; its secrets are never shown again."""
    return service.create(db, caller, body)


@endpoint(
    bp,
    "PATCH",
    "/v1/admin/payment_gateways/{gateway_id}",
    caller=Staff(),
    errors=(NotFound,),
)
def change(
    db: Connection, caller: Caller, gateway_id: UUID, body: PaymentGatewayChange
) -> Json[PaymentGateway]:
    """Change an account's keys, or whether it is the one that takes payments."""
    return service.change(db, caller, gateway_id, body)
