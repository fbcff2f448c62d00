"""What can stand against taking over the old store."""


class NotTheStore(Exception):
    """The text is no JSON object with the store's collections."""


class RowRefused(Exception):
    """Why a row is left out."""
