"""Where one is signed in."""

from uuid import UUID

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import User
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts.schemas import Session
from chalicelib.kernel.accounts.sessions import service

bp = Blueprint(__name__)


@endpoint(bp, "GET", "/v1/me/sessions", caller=User)
def mine(db: Connection, caller: Caller, query: PageQuery) -> Json[Page[Session]]:
    """Where one is signed in, the newest first."""
    return service.sessions_of(db, caller, query)


@endpoint(bp, "DELETE", "/v1/me/sessions/{session_id}", caller=User, status=204, errors=(NotFound,))
def end(db: Connection, caller: Caller, session_id: UUID) -> None:
    """End one of one's sessions: a lost phone's, say."""
    service.end(db, caller, session_id)
