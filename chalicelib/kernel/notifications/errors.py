"""What can stand against notifications."""

from chalicelib.core.errors import AppError


class NotOptional(AppError):
    """A kind of thing that everybody has to be told of."""

    status = 409
    code = "notifications.not_optional"
    title = "This can't be switched off"
