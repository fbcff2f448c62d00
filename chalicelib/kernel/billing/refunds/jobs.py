"""What refunds do by the clock."""

from datetime import datetime

from chalice.app import Blueprint

from chalicelib.core.db import Transactions
from chalicelib.core.jobs import Every, job
from chalicelib.kernel.billing.refunds import service

bp = Blueprint(__name__)


@job(bp, Every(5))
def finish(transactions: Transactions, now: datetime) -> int:
    """Carry out the refunds that were cut off on their way to the provider."""
    return service.finish(transactions, now)
