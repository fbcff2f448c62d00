"""What domains do by the clock."""

from datetime import datetime

from chalice.app import Blueprint

from chalicelib.core.db import Connection
from chalicelib.core.jobs import Daily, job
from chalicelib.products.marketplace.domains import service

bp = Blueprint(__name__)


@job(bp, Daily(4))
def recheck(db: Connection, now: datetime) -> int:
    """Have the verified domains looked at that were not for a month: each day about a thirtieth."""
    return service.ask_for_checks(db, now)
