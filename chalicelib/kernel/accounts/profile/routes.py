"""One's own account."""

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.http import endpoint
from chalicelib.core.operations import User
from chalicelib.kernel.accounts.profile import service
from chalicelib.kernel.accounts.schemas import Changes, Me

bp = Blueprint(__name__)


@endpoint(bp, "GET", "/v1/me", caller=User)
def me(db: Connection, caller: Caller) -> Me:
    """One's own account."""
    return service.me(db, caller)


@endpoint(bp, "PATCH", "/v1/me", caller=User)
def change(db: Connection, caller: Caller, body: Changes) -> Me:
    """Change what one says of oneself; a time zone counts from the next local day."""
    return service.change(db, caller, body)
