"""Cases: taken by a moderator, closed by a decision that is explained, logged and acted on."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from chalicelib.core import audit, clock, ids, outbox, paging
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts.users import service as users
from chalicelib.kernel.accounts.users.schemas import BanReason
from chalicelib.kernel.moderation import service as moderation
from chalicelib.kernel.moderation.cases import queries
from chalicelib.kernel.moderation.errors import (
    CaseAssigned,
    CaseClosed,
    ConflictOfInterest,
    NotAModerator,
    NotRemovable,
)
from chalicelib.kernel.moderation.events import CaseDecided, ContentRemoved
from chalicelib.kernel.moderation.schemas import (
    Action,
    Case,
    CaseQuery,
    Decision,
    DecisionCreate,
    Reason,
)
from chalicelib.kernel.notifications import service as notifications

DECISION = "moderation.decision"
"""The subject of what people are told about decisions."""


class Decided(NamedTuple):
    """A decision, and what it is about."""

    id: UUID
    product: str
    subject_kind: str
    subject_id: UUID
    user_id: UUID
    by: UUID
    data: DecisionCreate


def queue(db: Connection, product: str, query: CaseQuery) -> Json[Page[Case]]:
    """The cases of a product, the longest waiting first."""
    return paging.narrowed_page(db, queries.QUEUE, query, product=product)


def case(db: Connection, product: str, case_id: UUID) -> Json[Case]:
    """A case; NotFound for one of another product."""
    found = db.json(queries.CASE, product=product, case_id=case_id)
    if found is None:
        raise NotFound
    return found


def assign(
    db: Connection, caller: Caller, product: str, case_id: UUID, assignee: UUID | None
) -> Json[Case]:
    """Give an open case to a moderator of its product, or back to all.

    NotFound, CaseClosed, NotAModerator for who is none or is the person it is about.
    """
    given = {"product": product, "case_id": case_id, "assignee": assignee, "now": clock.now()}
    if db.one(queries.ASSIGN, **given) is None:
        raise _not_assigned(db, product, case_id)
    detail = {"assignee": str(assignee) if assignee else None}
    audit.record(db, caller.id, "moderation.assign", f"moderation.cases:{case_id}", detail)
    return case(db, product, case_id)


def _not_assigned(db: Connection, product: str, case_id: UUID) -> Exception:
    row = db.one(queries.STATE, product=product, case_id=case_id)
    if row is None:
        return NotFound()
    return CaseClosed() if row[0] == "decided" else NotAModerator()


def decide(
    db: Connection, caller: Caller, product: str, case_id: UUID, data: DecisionCreate
) -> Decision:
    """Close a case. What follows from it happens with it: the ban, the event, the notice.

    NotFound, CaseClosed, CaseAssigned to somebody else, ConflictOfInterest, NotRemovable;
    StaffAbove for staff whom the caller can't ban.
    """
    now, decision_id = clock.now(), ids.uuid7()
    removes = data.action == "remove_content"
    row = db.one(
        queries.DECIDE,
        product=product,
        case_id=case_id,
        caller=caller.id,
        decision_id=decision_id,
        lasting=moderation.lasting() if removes else [],
        now=now,
        **data.model_dump(),
    )
    if row is None:
        raise _not_decided(db, caller, product, case_id)
    decided = Decided(decision_id, product, *row, caller.id, data)
    _EFFECTS[data.action](db, decided)
    outbox.publish(db, CaseDecided(case_id))
    detail = {"decision": str(decision_id), "action": data.action, "reason": data.reason}
    audit.record(db, caller.id, "moderation.decide", f"moderation.cases:{case_id}", detail)
    return Decision(id=decision_id, case_id=case_id, created_at=now, **data.model_dump())


def _not_decided(db: Connection, caller: Caller, product: str, case_id: UUID) -> Exception:
    row = db.one(queries.STATE, product=product, case_id=case_id)
    if row is None:
        return NotFound()
    state, assignee, reported = row
    if state == "decided":
        return CaseClosed()
    if reported == caller.id:
        return ConflictOfInterest()
    return NotRemovable() if assignee in {None, caller.id} else CaseAssigned()


def _dismiss(_db: Connection, _decided: Decided) -> None:
    """Nothing was wrong; the person never learns of it."""


def _warn(db: Connection, decided: Decided) -> None:
    _tell(db, decided, "moderation.warned")


def _remove_content(db: Connection, decided: Decided) -> None:
    outbox.publish(db, ContentRemoved(decided.product, decided.subject_kind, decided.subject_id))
    _tell(db, decided, "moderation.content_removed")


def _ban_user(db: Connection, decided: Decided) -> None:
    reason = _BAN_REASONS.get(decided.data.reason, "other")
    users.ban(db, decided.by, decided.user_id, reason)
    _tell(db, decided, "moderation.banned")


_EFFECTS: dict[Action, Callable[[Connection, Decided], None]] = {
    "dismiss": _dismiss,
    "warn": _warn,
    "remove_content": _remove_content,
    "ban_user": _ban_user,
}
_BAN_REASONS: dict[Reason, BanReason] = {
    "spam": "spam",
    "scam": "fraud",
    "fake": "impersonation",
    "harassment": "harassment",
    "hate": "harassment",
    "illegal": "illegal_content",
    "minor": "underage",
}


def _tell(db: Connection, decided: Decided, kind: str) -> None:
    notifications.notify(
        db,
        decided.user_id,
        product=decided.product,
        kind=kind,
        subject_kind=DECISION,
        subject_id=decided.id,
        values={"reason": decided.data.reason, "explanation": decided.data.explanation},
    )


def tell_reporters(db: Connection, case_id: UUID) -> None:
    """Tell those who reported it that a case was looked at."""
    for reporter, product, report_id in db.all(queries.REPORTERS, case_id=case_id):
        if reporter is None:
            continue
        notifications.notify(
            db,
            reporter,
            product=product,
            kind="moderation.report_decided",
            subject_kind="moderation.report",
            subject_id=report_id,
        )
