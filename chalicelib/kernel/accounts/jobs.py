"""What accounts do by the clock."""

from datetime import datetime

from chalice.app import Blueprint

from chalicelib.core.db import Connection
from chalicelib.core.jobs import Every, job
from chalicelib.kernel.accounts import service

bp = Blueprint(__name__)


@job(bp, Every(60))
def forget_expired(db: Connection, now: datetime) -> int:
    """Remove expired tokens and sessions."""
    return service.forget_expired(db, now)
