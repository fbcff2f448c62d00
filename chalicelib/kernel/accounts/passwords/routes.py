"""Passwords: forgotten and changed."""

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Anonymous, Rate, User
from chalicelib.kernel.accounts.errors import PasswordTooCommon, TokenNotValid, WrongPassword
from chalicelib.kernel.accounts.passwords import service
from chalicelib.kernel.accounts.schemas import (
    Accepted,
    NewPassword,
    PasswordChange,
    PasswordReset,
    PasswordSet,
)

bp = Blueprint(__name__)

_FROM_ONE_ADDRESS = Rate(30, 300)


@endpoint(
    bp,
    "POST",
    "/v1/auth/password_resets",
    caller=Anonymous,
    status=202,
    rates=(_FROM_ONE_ADDRESS, Rate(3, 3600, by="body.email")),
)
def request_reset(db: Connection, body: PasswordReset) -> Accepted:
    """Mail a link that sets the password anew, good for an hour; the answer is always the same."""
    return service.request_reset(db, body.email)


@endpoint(
    bp,
    "POST",
    "/v1/auth/passwords",
    caller=Anonymous,
    rates=(_FROM_ONE_ADDRESS,),
    errors=(PasswordTooCommon, TokenNotValid),
)
def reset(db: Connection, body: NewPassword) -> PasswordSet:
    """Set the password anew with the token that was mailed; every session ends."""
    return service.reset(db, body)


@endpoint(
    bp,
    "PUT",
    "/v1/me/password",
    caller=User,
    status=204,
    rates=(Rate(10, 300, by="caller"),),
    errors=(PasswordTooCommon, WrongPassword),
)
def change(transactions: Transactions, caller: Caller, body: PasswordChange) -> None:
    """Set another password; one's other sessions end."""
    service.change(transactions, caller, body)
