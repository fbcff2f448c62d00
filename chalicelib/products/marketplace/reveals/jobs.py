"""What reveals do by the clock."""

from datetime import datetime

from chalice.app import Blueprint

from chalicelib.core.db import Connection
from chalicelib.core.jobs import Daily, job
from chalicelib.products.marketplace.reveals import service

bp = Blueprint(__name__)


@job(bp, Daily(3, 40))
def forget_allowances(db: Connection, now: datetime) -> int:
    """Drop the counts of limits whose day or month is over."""
    return service.forget_allowances(db, now)
