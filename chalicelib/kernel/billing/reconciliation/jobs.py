"""The daily comparison with the provider."""

from datetime import datetime

from chalice.app import Blueprint

from chalicelib.core.db import Transactions
from chalicelib.core.jobs import Daily, job
from chalicelib.kernel.billing.reconciliation import service

bp = Blueprint(__name__)


@job(bp, Daily(4, 20))
def reconcile(transactions: Transactions, now: datetime) -> int:
    """Compare what the provider has with what we have, and make good what webhooks lost."""
    return service.reconcile(transactions, now)
