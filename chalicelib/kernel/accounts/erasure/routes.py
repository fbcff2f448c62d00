"""Taking along what is one's own, and leaving."""

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Rate, User
from chalicelib.kernel.accounts.erasure import service
from chalicelib.kernel.accounts.errors import LastAdmin, WrongPassword
from chalicelib.kernel.accounts.schemas import Erasure, Export

bp = Blueprint(__name__)


@endpoint(
    bp,
    "POST",
    "/v1/me/erasure",
    caller=User,
    status=204,
    rates=(Rate(10, 300, by="caller"),),
    errors=(WrongPassword, LastAdmin),
)
def erase(transactions: Transactions, caller: Caller, body: Erasure) -> None:
    """Delete one's account and all that is one's own, at once and for good."""
    service.erase(transactions, caller, body)


@endpoint(bp, "GET", "/v1/me/export", caller=User, rates=(Rate(10, 3600, by="caller"),))
def export(db: Connection, caller: Caller) -> Export:
    """Everything that is stored of one, in every product."""
    return service.export(db, caller)
