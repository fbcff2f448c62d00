"""What can stand against signing up, in and out."""

from chalicelib.core.errors import AppError


class PasswordTooCommon(AppError):
    """The password is among the 3,000 that guessers try first."""

    status = 400
    code = "accounts.password_too_common"
    title = "That password is among the first anybody would guess"


class WrongCredentials(AppError):
    """No account has this address and password; which of the two is wrong is not told."""

    status = 401
    code = "accounts.wrong_credentials"
    title = "The e-mail address or the password is wrong"


class TokenNotValid(AppError):
    """A mailed token that is unknown, used, replaced by a newer one, or expired."""

    status = 400
    code = "accounts.token_not_valid"
    title = "This link has expired or was used; ask for a new one"


class RefreshRefused(AppError):
    """A refresh token that is unknown, replaced or expired; a replaced one ends its session."""

    status = 401
    code = "accounts.refresh_refused"
    title = "Sign in again"
