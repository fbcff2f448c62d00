"""What can stand against moderation."""

from chalicelib.core.errors import AppError


class CannotBlockOneself(AppError):
    """The caller named themselves."""

    status = 409
    code = "moderation.cannot_block_oneself"
    title = "You can't block yourself"
