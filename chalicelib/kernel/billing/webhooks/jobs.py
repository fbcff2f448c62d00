"""What webhooks do by the clock."""

from datetime import datetime

from chalice.app import Blueprint

from chalicelib.core.db import Connection, Transactions
from chalicelib.core.jobs import Daily, Every, job
from chalicelib.kernel.billing.webhooks import service

bp = Blueprint(__name__)


@job(bp, Every(1))
def process_due(transactions: Transactions, now: datetime) -> int:
    """Apply the webhook events that the queue lost or that failed before."""
    return service.process_due(transactions, now)


@job(bp, Daily(3, 40))
def scrub(db: Connection, now: datetime) -> int:
    """Leave nothing but ids of the payloads that are a month old."""
    return service.scrub(db, now)
