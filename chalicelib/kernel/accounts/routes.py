"""Signing up, in and out."""

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Anonymous, Rate, User
from chalicelib.kernel.accounts import service
from chalicelib.kernel.accounts.errors import (
    PasswordTooCommon,
    RefreshRefused,
    TokenNotValid,
    WrongCredentials,
    WrongPassword,
)
from chalicelib.kernel.accounts.schemas import (
    Accepted,
    Credentials,
    Refresh,
    SignUp,
    Tokens,
    Verification,
    VerificationRequest,
    Verified,
)

bp = Blueprint(__name__)

_FROM_ONE_ADDRESS = Rate(30, 300)
_FOR_ONE_ACCOUNT = Rate(10, 300, by="body.email")


@endpoint(
    bp,
    "POST",
    "/v1/auth/sign_ups",
    caller=Anonymous,
    status=202,
    rates=(_FROM_ONE_ADDRESS, _FOR_ONE_ACCOUNT),
    errors=(PasswordTooCommon,),
)
def sign_up(db: Connection, body: SignUp) -> Accepted:
    """Open an account; a mail tells how to go on, whether or not the address was known."""
    return service.sign_up(db, body)


@endpoint(
    bp,
    "POST",
    "/v1/auth/verification_requests",
    caller=Anonymous,
    status=202,
    rates=(_FROM_ONE_ADDRESS, Rate(3, 3600, by="body.email")),
)
def request_verification(db: Connection, body: VerificationRequest) -> Accepted:
    """Mail the link that verifies an address again."""
    return service.request_verification(db, body.email)


@endpoint(
    bp,
    "POST",
    "/v1/auth/verifications",
    caller=Anonymous,
    rates=(_FROM_ONE_ADDRESS,),
    errors=(TokenNotValid, WrongPassword),
)
def verify_email(transactions: Transactions, body: Verification) -> Verified:
    """Show that an address is one's own, with the token that was mailed to it, and the password.

    If it was asked for as the account's new address, it takes the old one's place. Without the
    password, a mailed link that sets a new one shows the same.
    """
    return service.verify_email(transactions, body)


@endpoint(
    bp,
    "POST",
    "/v1/auth/sessions",
    caller=Anonymous,
    status=201,
    rates=(_FROM_ONE_ADDRESS, _FOR_ONE_ACCOUNT),
    errors=(WrongCredentials,),
)
def sign_in(transactions: Transactions, body: Credentials) -> Tokens:
    """Sign in with e-mail address and password."""
    return service.sign_in(transactions, body)


@endpoint(
    bp,
    "POST",
    "/v1/auth/sessions/refresh",
    caller=Anonymous,
    rates=(_FROM_ONE_ADDRESS,),
    errors=(RefreshRefused,),
)
def refresh(transactions: Transactions, body: Refresh) -> Tokens:
    """Exchange a refresh token for the next tokens of its session."""
    return service.refresh(transactions, body.refresh_token)


@endpoint(bp, "DELETE", "/v1/auth/sessions/current", caller=User, status=204)
def sign_out(db: Connection, caller: Caller) -> None:
    """End this session."""
    service.sign_out(db, caller)


@endpoint(bp, "DELETE", "/v1/auth/sessions", caller=User, status=204)
def sign_out_everywhere(db: Connection, caller: Caller) -> None:
    """End every session of this account."""
    service.sign_out_everywhere(db, caller)
