"""One's sessions: where one is signed in, and ending that from afar."""

from datetime import datetime
from uuid import UUID

from chalicelib.core import clock, paging
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts.schemas import Session
from chalicelib.kernel.accounts.sessions import queries


def sessions_of(db: Connection, caller: Caller, query: PageQuery) -> Json[Page[Session]]:
    """Where the caller is signed in, the newest first."""
    return paging.page(
        db, queries.LIVE, query, caller=caller.id, current=caller.session_id, now=clock.now()
    )


def end(db: Connection, caller: Caller, session_id: UUID) -> None:
    """End one of the caller's sessions, at its next request; NotFound for any other."""
    if not db.run(queries.END, caller=caller.id, session_id=session_id, now=clock.now()):
        raise NotFound


def end_all(db: Connection, user_id: UUID, now: datetime, *, but: UUID | None = None) -> None:
    """End every session of a user, or every other, in the flush of COMMIT.

    A statement of its own, after the one that locked the user's row: so it also sees a session
    that was opened at the same moment.
    """
    db.later(queries.END_ALL_BUT, user_id=user_id, kept=but, now=now)
