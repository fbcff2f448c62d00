"""What was paid, tried and disputed: lists for whoever paid, and for staff of the product."""

from uuid import UUID

from chalicelib.core import paging
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.payments import queries
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
from chalicelib.kernel.billing.schemas import FailedTransaction, Payment


def payments(db: Connection, caller: Caller, query: PageQuery) -> Json[Page[Payment]]:
    """What the caller paid, newest first."""
    return paging.page(db, queries.PAYMENTS, query, user_id=caller.id)


def failures(db: Connection, caller: Caller, query: PageQuery) -> Json[Page[FailedTransaction]]:
    """What the caller tried to pay and was declined, newest first."""
    return paging.page(db, queries.FAILURES, query, user_id=caller.id)


def list_payments(
    db: Connection, product: str, query: StaffPaymentQuery
) -> Json[Page[StaffPayment]]:
    """A product's payments, newest first."""
    return paging.narrowed_page(db, queries.STAFF_PAYMENTS, query, product=product)


def payment(db: Connection, product: str, payment_id: UUID) -> Json[StaffPaymentDetail]:
    """One of a product's payments; NotFound."""
    found = db.json(queries.STAFF_PAYMENT, product=product, payment_id=payment_id)
    if found is None:
        raise NotFound
    return found


def list_checkouts(
    db: Connection, product: str, query: StaffCheckoutQuery
) -> Json[Page[StaffCheckout]]:
    """A product's checkouts, newest first."""
    return paging.narrowed_page(db, queries.STAFF_CHECKOUTS, query, product=product)


def list_failures(
    db: Connection, product: str, query: StaffFailureQuery
) -> Json[Page[FailedTransaction]]:
    """The declined payments of a product, newest first."""
    return paging.narrowed_page(db, queries.STAFF_FAILURES, query, product=product)


def list_disputes(db: Connection, product: str, query: StaffDisputeQuery) -> Json[Page[Dispute]]:
    """The disputes over a product's payments, newest first."""
    return paging.narrowed_page(db, queries.STAFF_DISPUTES, query, product=product)
