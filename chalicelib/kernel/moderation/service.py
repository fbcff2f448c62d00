"""Blocking, which holds in both directions everywhere; and what there is to be reported."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from chalicelib.core import clock, db, paging, rooms
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

Resolver = Callable[[Connection, UUID, UUID | None], UUID | None]
"""Whose a subject is: `(db, subject id, viewer) -> user id`.

None for what does not exist or the viewer may not see; an anonymous viewer is None.
"""


@dataclass(frozen=True)
class Subject:
    """A kind of thing that can be reported. `removable`: it is content that can be hidden."""

    kind: str
    removable: bool
    owner: Resolver


_subjects: dict[str, Subject] = {}


def subject(kind: str, *, removable: bool = True) -> Callable[[Resolver], Resolver]:
    """Have a function say whose a kind of thing is: `domain.noun`, in the domain's `subscribers.py`.

    Whoever declares something removable subscribes to ContentRemoved and ContentRestored.
    """

    def decorate(owner: Resolver) -> Resolver:
        _subjects[kind] = Subject(kind, removable, owner)
        return owner

    return decorate


def subject_of(kind: str) -> Subject | None:
    """A kind of thing that can be reported, whichever domain declared it."""
    if kind not in _subjects:
        rooms.load("subscribers")
    return _subjects.get(kind)


def lasting() -> list[str]:
    """The kinds that are no content, so that there is nothing to remove."""
    rooms.load("subscribers")
    return [one.kind for one in _subjects.values() if not one.removable]


@subject("accounts.user", removable=False)
def user(unit: Connection, user_id: UUID, _viewer: UUID | None) -> UUID | None:
    """A person, whom a block does not protect from being reported."""
    row = unit.one(queries.STANDS, other=user_id)
    return user_id if row else None


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
