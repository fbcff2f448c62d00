"""Applying what Stripe tells as if it came once, in order, and to somebody who lives: planted faults."""

from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from chalicelib.core import ids
from chalicelib.core.db import Connection
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts import service as checkouts
from chalicelib.kernel.billing.disputes import service as disputes
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.kernel.billing.reconciliation import service as reconciliation
from chalicelib.kernel.billing.webhooks import service
from tests.faults.world import replaced
from tests.support.notes import sql

_BUYER = sql(
    "select user_id from billing.checkouts where id = :checkout_id and state = 'paid'", "user_id"
)


def settling_first() -> AbstractContextManager[None]:
    """It is noted in one transaction that an event is done, and done in the next."""
    settle = service._settle  # noqa: SLF001

    def settle_first(unit: Connection, webhook_id: UUID, effect: service.Effect | None) -> None:
        settle(unit, webhook_id, lambda _unit: True)
        unit.finish()
        if effect is not None:
            effect(unit)

    return replaced(service, "_settle", settle_first)


def giving_each_time() -> AbstractContextManager[None]:
    """Whenever it is told that a checkout is paid, its credits are given."""
    apply = checkouts.apply_session

    def apply_and_give(db: Connection, session: gateway.Session) -> bool:
        row = db.one(_BUYER, checkout_id=session.checkout_id)
        if session.paid and row is not None:
            ledger.grant(db, row[0], "contact", 10, key=f"again:{ids.uuid7()}")
        return apply(db, session)

    return replaced(checkouts, "apply_session", apply_and_give)


def the_last_counts() -> AbstractContextManager[None]:
    """A dispute is as it was told last, whether that was learnt before or after what is known."""
    nowhere: dict[str, Any] = dict.fromkeys(disputes._ORDER, float("nan"))  # noqa: SLF001
    return replaced(disputes, "_ORDER", nowhere)


def never_asking() -> AbstractContextManager[None]:
    """What no webhook told is never heard of."""
    return replaced(reconciliation, "reconcile", lambda *_: 0)
