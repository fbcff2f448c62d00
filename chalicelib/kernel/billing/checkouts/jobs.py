"""What checkouts do by the clock."""

from datetime import datetime

from chalice.app import Blueprint

from chalicelib.core.db import Connection
from chalicelib.core.jobs import Every, job
from chalicelib.kernel.billing.checkouts import service

bp = Blueprint(__name__)


@job(bp, Every(5))
def expire(db: Connection, now: datetime) -> int:
    """Close the checkouts whose time is over."""
    return service.expire_due(db, now)
