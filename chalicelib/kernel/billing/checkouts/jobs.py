"""What checkouts do by the clock."""

from datetime import datetime

from chalice.app import Blueprint

from chalicelib.core.db import Connection, Transactions
from chalicelib.core.jobs import Every, job
from chalicelib.kernel.billing.checkouts import service

bp = Blueprint(__name__)


@job(bp, Every(5))
def expire(db: Connection, now: datetime) -> int:
    """Close the checkouts whose time is over."""
    return service.expire_due(db, now)


@job(bp, Every(5))
def close_pages(transactions: Transactions, now: datetime) -> int:
    """Close the pages of expired checkouts at the provider, and honour what was paid there."""
    return service.close_expired(transactions, now)
