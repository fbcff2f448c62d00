"""People as staff see them, and shutting somebody out."""

from typing import Any
from uuid import UUID

from chalicelib.core import audit, clock, ids, outbox, paging
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page, PagedStatement
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts.errors import StaffAbove
from chalicelib.kernel.accounts.events import UserBanned, UserUnbanned
from chalicelib.kernel.accounts.sessions import service as sessions
from chalicelib.kernel.accounts.users import queries
from chalicelib.kernel.accounts.users.schemas import Account, AccountQuery, BanReason


def search(db: Connection, caller: Caller, query: AccountQuery) -> Json[Page[Account]]:
    """Accounts, the newest first, or the one with an address or id; the audit log keeps who asked."""
    paged, given, by = _search_of(query)
    audit.record(db, caller.id, "accounts.search_users", "accounts.users", {"by": by})
    return paging.page(db, paged, query, **given)


def _search_of(query: AccountQuery) -> tuple[PagedStatement, dict[str, Any], str | None]:
    if query.user_id is not None:
        return queries.BY_ID, {"user_id": query.user_id}, "user_id"
    if query.email is not None:
        return queries.BY_EMAIL, {"email": query.email}, "email"
    return queries.ALL, {}, None


def account(db: Connection, caller: Caller, user_id: UUID) -> Json[Account]:
    """An account; NotFound. The audit log keeps who looked."""
    found = db.json(queries.ONE, user_id=user_id)
    if found is None:
        raise NotFound
    audit.record(db, caller.id, "accounts.read_user", _subject(user_id))
    return found


def ban(db: Connection, actor_id: UUID, user_id: UUID, reason: BanReason) -> None:
    """Shut somebody out from their next request on, again as good as once.

    NotFound for nobody; StaffAbove for oneself, admins, and other staff unless an admin asks.
    """
    now = clock.now()
    row = db.one(
        queries.BAN, user_id=user_id, actor=actor_id, ban_id=ids.uuid7(), reason=reason, now=now
    )
    if row is None:
        raise NotFound
    above, is_new = row
    if above:
        raise StaffAbove
    if is_new:
        sessions.end_all(db, user_id, now)
        outbox.publish(db, UserBanned(user_id))
        audit.record(db, actor_id, "accounts.ban", _subject(user_id), {"reason": reason})


def unban(db: Connection, actor_id: UUID, user_id: UUID) -> None:
    """Let somebody in again, who then has to sign in; NotFound where nobody was shut out."""
    now = clock.now()
    if db.one(queries.UNBAN, user_id=user_id, now=now) is None:
        raise NotFound
    db.later(queries.LIFT, user_id=user_id, actor=actor_id, now=now)
    outbox.publish(db, UserUnbanned(user_id))
    audit.record(db, actor_id, "accounts.unban", _subject(user_id))


def _subject(user_id: UUID) -> str:
    return f"accounts.users:{user_id}"
