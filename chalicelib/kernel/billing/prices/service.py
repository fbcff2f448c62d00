"""The catalogue: what is for sale in a product. A checkout copies what it was promised."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from chalicelib.core import audit, clock, db, ids, paging
from chalicelib.core.auth import Caller
from chalicelib.core.config import config
from chalicelib.core.db import Connection
from chalicelib.core.errors import FieldProblem, NotFound, ValidationFailed
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.billing.errors import PriceExists
from chalicelib.kernel.billing.prices import queries
from chalicelib.kernel.billing.prices.schemas import PriceChange, PriceCreate, StaffPrice
from chalicelib.kernel.billing.schemas import Price, PriceQuery


def prices(unit: Connection, query: PriceQuery) -> Json[Page[Price]]:
    """What a product sells."""
    return paging.page(unit, queries.PRICES, query, product=query.product)


def list_prices(unit: Connection, product: str, query: PageQuery) -> Json[Page[StaffPrice]]:
    """What a product sells and sold, in the order it is shown."""
    return paging.page(unit, queries.STAFF_PRICES, query, product=product)


def create(unit: Connection, caller: Caller, product: str, data: PriceCreate) -> Json[StaffPrice]:
    """Put something on sale; NotFound for a product that is not there, PriceExists."""
    if product not in config().products:
        raise NotFound
    price_id, now = ids.uuid7(), clock.now()
    told = data.model_dump(exclude={"price"}) | data.price.model_dump()
    with _rules():
        created = unit.json(
            queries.CREATE,
            id=price_id,
            product=product,
            is_active=True,
            created_at=now,
            updated_at=now,
            **told,
        )
    _audit(unit, caller, "billing.create_price", price_id, data.price.amount)
    if created is None:
        raise RuntimeError("the price was just written")
    return created


def change(
    unit: Connection, caller: Caller, product: str, price_id: UUID, data: PriceChange
) -> Json[StaffPrice]:
    """Change a price, for what is bought from now on; NotFound."""
    with _rules():
        changed = unit.json(
            queries.CHANGE,
            price_id=price_id,
            product=product,
            new_name=data.name,
            new_amount=data.price.amount if data.price else None,
            new_currency=data.price.currency if data.price else None,
            new_credit_amount=data.credit_amount,
            new_sort_order=data.sort_order,
            activate=data.is_active,
            now=clock.now(),
        )
    if changed is None:
        raise NotFound
    amount = data.price.amount if data.price else None
    _audit(unit, caller, "billing.change_price", price_id, amount)
    return changed


def archive(unit: Connection, caller: Caller, product: str, price_id: UUID) -> Json[StaffPrice]:
    """Sell something no more; what is open may still be paid. NotFound."""
    return change(unit, caller, product, price_id, PriceChange(is_active=False))


def _audit(
    unit: Connection, caller: Caller, action: str, price_id: UUID, amount: int | None
) -> None:
    audit.record(unit, caller.id, action, f"billing.prices:{price_id}", {"amount": amount})


@contextmanager
def _rules() -> Iterator[None]:
    """What the table refuses, as problems of fields."""
    credit = FieldProblem("body.credit_amount", "mismatch", "a pack holds credits, a fee none")
    subject = FieldProblem("body.takes_subject", "mismatch", "only a fee is paid for something")
    with (
        db.refused(db.UNIQUE_VIOLATION, "prices_product_code", PriceExists()),
        db.refused(db.CHECK_VIOLATION, "prices_credits", ValidationFailed(problems=(credit,))),
        db.refused(db.CHECK_VIOLATION, "prices_subject", ValidationFailed(problems=(subject,))),
    ):
        yield
