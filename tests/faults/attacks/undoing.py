"""Giving back what those who run the place changed for everybody, so that calls succeed again."""

from functools import cache
from typing import Any

from chalicelib.core import limits
from tests.support import database

_FOR_ALL = (
    "delete from core.rate_limits",
    "delete from core.settings",
    "update billing.payment_gateways set is_active = false where is_active",
)
_PRICE = "name, amount, currency, credit_amount, sort_order, is_active"
_MIGRATED = "created_at = '2026-11-20T00:00:00Z'"
_AS_MIGRATED = (
    f"update billing.prices set ({_PRICE}) = ($2, $3, $4, $5, $6, $7)"
    f" where id = $1 and ({_PRICE}) is distinct from ($2, $3, $4, $5, $6, $7)"
)


def undo_for_all() -> None:
    """Forget settings, changed prices, other accounts that take payments, and who asked how often."""
    for price in _migrated():
        database.execute(_AS_MIGRATED, *price)
    for statement in _FOR_ALL:
        database.execute(statement)
    limits.forget()


@cache
def _migrated() -> list[tuple[Any, ...]]:
    """What migrations put on sale: read before anybody was let in."""
    return database.execute(f"select id, {_PRICE} from billing.prices where {_MIGRATED}")
