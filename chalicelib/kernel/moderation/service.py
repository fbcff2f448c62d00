"""Blocking: it holds in both directions, everywhere, from the next read on."""

from uuid import UUID

from chalicelib.core import clock, db, paging
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.moderation import queries
from chalicelib.kernel.moderation.errors import CannotBlockOneself
from chalicelib.kernel.moderation.schemas import Block

not_blocked = queries.not_blocked
"""A Core clause: whether neither of two people blocked the other."""


def block(unit: Connection, caller: Caller, user_id: UUID) -> None:
    """Have nothing to do with somebody any more; NotFound for nobody, CannotBlockOneself."""
    with db.refused(db.CHECK_VIOLATION, "blocks_never_oneself", CannotBlockOneself()):
        row = unit.one(queries.BLOCK, caller=caller.id, other=user_id, now=clock.now())
    if row is None:
        raise NotFound


def unblock(unit: Connection, caller: Caller, user_id: UUID) -> None:
    """Take a block back; NotFound where there is none."""
    if not unit.run(queries.UNBLOCK, caller=caller.id, other=user_id):
        raise NotFound


def blocked(unit: Connection, caller: Caller, query: PageQuery) -> Json[Page[Block]]:
    """Whom the caller blocked, newest first."""
    return paging.page(unit, queries.BLOCKED, query, caller=caller.id)
