"""What can stand against what people and staff do with accounts."""

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


class WrongPassword(AppError):
    """Somebody signed in gave another password than their own."""

    status = 403
    code = "accounts.wrong_password"
    title = "That is not your password"


class LastAdmin(AppError):
    """Without this account nobody could give roles any more."""

    status = 409
    code = "accounts.last_admin"
    title = "This is the last admin; make somebody else one first"


class StaffAbove(AppError):
    """Staff can't shut out themselves, an admin, or, unless they are one, other staff."""

    status = 403
    code = "accounts.staff_above"
    title = "You can't shut out this member of staff"
