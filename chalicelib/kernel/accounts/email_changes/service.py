"""Another address for an account: it takes the old one's place once it is shown to be theirs.

Whoever asks gets one answer, whether or not the address is somebody else's already: what is
mailed, and to whom, is decided when the mail is sent.
"""

from datetime import timedelta

from chalicelib.core import clock, ids, outbox
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.kernel.accounts.email_changes import queries
from chalicelib.kernel.accounts.errors import WrongPassword
from chalicelib.kernel.accounts.events import EmailChangeRequested
from chalicelib.kernel.accounts.passwords import service as passwords
from chalicelib.kernel.accounts.schemas import Accepted, EmailChange

LIFE = timedelta(hours=24)


def request(transactions: Transactions, caller: Caller, data: EmailChange) -> Accepted:
    """Have the new address verified and the old one told; WrongPassword stands against it."""
    checked_hash = passwords.checked(transactions, caller, data.password)
    return transactions.write(_request, caller, data.email, checked_hash)


def _request(db: Connection, caller: Caller, email: str, checked_hash: str) -> Accepted:
    now = clock.now()
    row = db.one(
        queries.REQUEST,
        token_id=ids.uuid7(),
        user_id=caller.id,
        token_hash=ids.token_hash(ids.secret_token()),
        email=email,
        checked_hash=checked_hash,
        expires_at=now + LIFE,
        now=now,
    )
    if row is None:
        raise WrongPassword
    outbox.publish(db, EmailChangeRequested(caller.id))
    return Accepted()
