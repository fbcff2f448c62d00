"""Another address for one's account."""

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Transactions
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Rate, User
from chalicelib.kernel.accounts.email_changes import service
from chalicelib.kernel.accounts.errors import WrongPassword
from chalicelib.kernel.accounts.schemas import Accepted, EmailChange

bp = Blueprint(__name__)


@endpoint(
    bp,
    "POST",
    "/v1/me/email_changes",
    caller=User,
    status=202,
    rates=(Rate(10, 3600, by="caller"), Rate(3, 3600, by="body.email")),
    errors=(WrongPassword,),
)
def request(transactions: Transactions, caller: Caller, body: EmailChange) -> Accepted:
    """Have another address; it holds once the token that is mailed to it was sent in.

    The address there was is told. Nothing says whether the new one belongs to somebody else.
    """
    return service.request(transactions, caller, body)
