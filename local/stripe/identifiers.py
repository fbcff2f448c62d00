"""Identifiers that look like Stripe's."""

import secrets
import string

_LETTERS = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    """A fresh identifier, such as `ch_3…`."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))
