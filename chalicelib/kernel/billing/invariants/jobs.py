"""The books, looked through by the clock."""

from datetime import datetime

from chalice.app import Blueprint

from chalicelib.core.db import Transactions
from chalicelib.core.jobs import Every, job
from chalicelib.kernel.billing.invariants import service

bp = Blueprint(__name__)


@job(bp, Every(15))
def invariants(transactions: Transactions, _now: datetime) -> int:
    """Look through the books; what is wrong is logged as `invariant_violated`, to be alarmed by."""
    return service.check(transactions)
