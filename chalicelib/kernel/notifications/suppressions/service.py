"""Addresses that bounced or complained: known by a keyed hash, and never written to again."""

from uuid import UUID

from chalicelib.core import audit, clock, signatures
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.notifications import gateway
from chalicelib.kernel.notifications.suppressions import queries

_PURPOSE = "notifications.suppressions"


def address_hash(email: str) -> str:
    """What is kept of an address; letter case is of no account."""
    return signatures.keyed_hash(_PURPOSE, email.lower())


def suppress(db: Connection, told: str) -> None:
    """Take in what the mail service tells of mails it sent, however often it does."""
    feedback = gateway.feedback_of(told)
    if feedback is None:
        return
    hashes = sorted({address_hash(email) for email in feedback.addresses})
    db.run(queries.SUPPRESS, hashes=hashes, reason=feedback.reason, now=clock.now())


def is_suppressed(db: Connection, email: str) -> bool:
    """Whether an address must not be written to."""
    return db.one(queries.SUPPRESSED, address_hash=address_hash(email)) is not None


def lift(db: Connection, caller: Caller, user_id: UUID) -> None:
    """Write to somebody again, since their mailbox works now; NotFound where nothing stood."""
    address = accounts.mail_address(db, user_id)
    lifted = address and db.run(queries.LIFT, address_hash=address_hash(address.email))
    if not lifted:
        raise NotFound
    audit.record(db, caller.id, "notifications.lift_suppression", f"accounts.users:{user_id}")
