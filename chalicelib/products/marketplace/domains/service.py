"""Domains: a code that only their owner can put up, looked for when asked and every month."""

from datetime import datetime, timedelta
from uuid import UUID

from chalicelib.core import clock, ids, outbox, paging
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import FieldProblem, NotFound, ValidationFailed
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.notifications import service as notifications
from chalicelib.products.marketplace.domains import gateway, queries
from chalicelib.products.marketplace.domains.schemas import (
    DomainVerification,
    DomainVerificationCreate,
)
from chalicelib.products.marketplace.events import (
    DOMAIN_LAPSED,
    DOMAIN_VERIFIED,
    DomainCheckDue,
    DomainCheckRequested,
)

EVERY = timedelta(days=30)
AGAIN = timedelta(days=1)


def begin(
    unit: Connection, caller: Caller, data: DomainVerificationCreate
) -> Json[DomainVerification]:
    """The code to put up at a domain; the same one however often it is asked for."""
    try:
        domain = gateway.normalised(data.domain)
    except gateway.NoDomain as error:
        problem = FieldProblem("body.domain", "domain", str(error))
        raise ValidationFailed(problems=(problem,)) from error
    return _found(
        unit.json(
            queries.BEGIN,
            verification_id=ids.uuid7(),
            caller=caller.id,
            domain=domain,
            code=ids.secret_token(),
            now=clock.now(),
        )
    )


def verification(
    unit: Connection, caller: Caller, verification_id: UUID
) -> Json[DomainVerification]:
    """One of the caller's domains; NotFound otherwise."""
    return _found(unit.json(queries.ONE, verification_id=verification_id, caller=caller.id))


def verifications(
    unit: Connection, caller: Caller, query: PageQuery
) -> Json[Page[DomainVerification]]:
    """The caller's domains, newest first."""
    return paging.page(unit, queries.OWN, query, caller=caller.id)


def request_check(
    unit: Connection, caller: Caller, verification_id: UUID
) -> Json[DomainVerification]:
    """Have a domain looked at once this is committed; NotFound for anybody else's."""
    found = verification(unit, caller, verification_id)
    outbox.publish(unit, DomainCheckRequested(verification_id))
    return found


def delete(unit: Connection, caller: Caller, verification_id: UUID) -> None:
    """Forget a domain, and take its mark from the caller's posts; NotFound for anybody else's."""
    if not unit.run(queries.DELETE, verification_id=verification_id, caller=caller.id):
        raise NotFound
    unit.run(queries.MARK_POSTS, user_id=caller.id)


def check(transactions: Transactions, verification_id: UUID) -> None:
    """Look whether a domain shows its code, and keep what was seen. May be done any number of times."""
    row = transactions.read(_to_check, verification_id)
    if row is None:
        return
    domain, code = row
    method = gateway.find_proof(domain, f"{queries.PROOF}{code}")
    transactions.write(_keep, verification_id, method)


def _to_check(unit: Connection, verification_id: UUID) -> tuple[str, str] | None:
    return unit.one(queries.TO_CHECK, verification_id=verification_id)


def _keep(unit: Connection, verification_id: UUID, method: gateway.Method | None) -> None:
    now = clock.now()
    if method is not None:
        row = unit.one(
            queries.SEEN,
            verification_id=verification_id,
            seen_by=method,
            # Spread over a month, however many are verified on one day.
            first_check_at=now + timedelta(days=1 + verification_id.int % EVERY.days),
            next_check_at=now + EVERY,
            now=now,
        )
        kind = DOMAIN_VERIFIED.kind
    else:
        row = unit.one(
            queries.NOT_SEEN, verification_id=verification_id, next_check_at=now + AGAIN, now=now
        )
        kind = DOMAIN_LAPSED.kind
    if row is None:
        return
    user_id, is_news = row
    unit.run(queries.MARK_POSTS, user_id=user_id)
    if is_news:
        notifications.notify(unit, user_id, product="marketplace", kind=kind)


def ask_for_checks(unit: Connection, now: datetime) -> int:
    """Have a batch of the domains that are due looked at; how many."""
    due = unit.all(queries.TAKE_DUE, next_check_at=now + AGAIN, now=now)
    for (verification_id,) in due:
        outbox.publish(unit, DomainCheckDue(verification_id))
    return len(due)


def _found(answer: Json[DomainVerification] | None) -> Json[DomainVerification]:
    if answer is None:
        raise NotFound
    return answer
