"""What was paid and tried, for whoever did and for staff."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Staff, User
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.payments import service
from chalicelib.kernel.billing.payments.schemas import (
    Dispute,
    StaffCheckout,
    StaffCheckoutQuery,
    StaffDisputeQuery,
    StaffFailureQuery,
    StaffPayment,
    StaffPaymentDetail,
    StaffPaymentQuery,
)
from chalicelib.kernel.billing.schemas import FailedTransaction, Product

bp = Blueprint(__name__)

_STAFF = Staff("finance", "support", product="{product}")


@endpoint(bp, "GET", "/v1/billing/failed_transactions", caller=User)
def failures(db: Connection, caller: Caller, query: PageQuery) -> Json[Page[FailedTransaction]]:
    """The tries to pay that were declined, newest first."""
    return service.failures(db, caller, query)


@endpoint(bp, "GET", "/v1/admin/{product}/payments", caller=_STAFF)
def search(db: Connection, product: Product, query: StaffPaymentQuery) -> Json[Page[StaffPayment]]:
    """The product's payments, newest first."""
    return service.list_payments(db, product, query)


@endpoint(bp, "GET", "/v1/admin/{product}/payments/{payment_id}", caller=_STAFF, errors=(NotFound,))
def get(db: Connection, product: Product, payment_id: UUID) -> Json[StaffPaymentDetail]:
    """A payment, with its refunds and disputes."""
    return service.payment(db, product, payment_id)


@endpoint(bp, "GET", "/v1/admin/{product}/checkouts", caller=_STAFF)
def search_checkouts(
    db: Connection, product: Product, query: StaffCheckoutQuery
) -> Json[Page[StaffCheckout]]:
    """What people began to buy in the product, newest first."""
    return service.list_checkouts(db, product, query)


@endpoint(bp, "GET", "/v1/admin/{product}/failed_transactions", caller=_STAFF)
def search_failures(
    db: Connection, product: Product, query: StaffFailureQuery
) -> Json[Page[FailedTransaction]]:
    """The product's declined payments, newest first."""
    return service.list_failures(db, product, query)


@endpoint(bp, "GET", "/v1/admin/{product}/disputes", caller=_STAFF)
def search_disputes(
    db: Connection, product: Product, query: StaffDisputeQuery
) -> Json[Page[Dispute]]:
    """What banks ask back of the product's payments, newest first."""
    return service.list_disputes(db, product, query)
