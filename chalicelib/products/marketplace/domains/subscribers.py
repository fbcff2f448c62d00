"""When domains are looked at."""

from chalicelib.core.db import Transactions
from chalicelib.core.outbox import subscribe
from chalicelib.products.marketplace.domains import service
from chalicelib.products.marketplace.events import DomainCheckDue, DomainCheckRequested


@subscribe(DomainCheckRequested, calls=True)
def check_requested(transactions: Transactions, event: DomainCheckRequested) -> None:
    """Look at a domain whose owner has put the code up."""
    service.check(transactions, event.verification_id)


@subscribe(DomainCheckDue, calls=True)
def check_due(transactions: Transactions, event: DomainCheckDue) -> None:
    """Look at a domain again."""
    service.check(transactions, event.verification_id)
