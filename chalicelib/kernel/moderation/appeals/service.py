"""Appeals: one for each decision, by the person it is about, looked at by another moderator."""

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from chalicelib.core import audit, clock, db, ids, outbox, paging, signatures
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.statements import Json
from chalicelib.kernel.accounts.users import service as users
from chalicelib.kernel.moderation.appeals import queries
from chalicelib.kernel.moderation.errors import (
    AlreadyAppealed,
    AppealClosed,
    ConflictOfInterest,
)
from chalicelib.kernel.moderation.events import APPEAL, ContentRestored
from chalicelib.kernel.moderation.schemas import (
    Action,
    Appeal,
    AppealCreate,
    AppealOutcome,
    AppealQuery,
    AppealToModerate,
    OutcomeCreate,
    OwnDecision,
)
from chalicelib.kernel.notifications import service as notifications


def own_decisions(unit: Connection, caller: Caller, query: PageQuery) -> Json[Page[OwnDecision]]:
    """What was decided about the caller's doings, newest first."""
    return paging.page(unit, queries.OWN_DECISIONS, query, caller=caller.id)


def appeal(unit: Connection, caller: Caller, decision_id: UUID, data: AppealCreate) -> Json[Appeal]:
    """Appeal a decision about oneself; NotFound for anybody else's, AlreadyAppealed."""
    return _appeal(unit, caller.id, decision_id, data)


def appeal_by_token(unit: Connection, token: str, data: AppealCreate) -> Json[Appeal]:
    """Appeal by the link in the mail, without signing in: the banned can't. NotFound otherwise."""
    told = signatures.signed_text(APPEAL, token)
    if told is None:
        raise NotFound
    return _appeal(unit, None, UUID(told), data)


def _appeal(
    unit: Connection, caller: UUID | None, decision_id: UUID, data: AppealCreate
) -> Json[Appeal]:
    with db.refused(db.UNIQUE_VIOLATION, "appeals_decision_id", AlreadyAppealed()):
        made = unit.json(
            queries.APPEAL,
            appeal_id=ids.uuid7(),
            decision_id=decision_id,
            caller=caller,
            words=data.statement,
            now=clock.now(),
        )
    if made is None:
        raise NotFound
    return made


def queue(unit: Connection, product: str, query: AppealQuery) -> Json[Page[AppealToModerate]]:
    """The appeals of a product, the longest waiting first."""
    return paging.narrowed_page(unit, queries.QUEUE, query, product=product)


def settle(
    unit: Connection, caller: Caller, product: str, appeal_id: UUID, data: OutcomeCreate
) -> AppealOutcome:
    """Decide an appeal; what was overturned is undone with it.

    NotFound, AppealClosed, ConflictOfInterest for whoever decided first, or appealed.
    """
    now = clock.now()
    with db.refused(db.UNIQUE_VIOLATION, "appeal_outcomes_pkey", AppealClosed()):
        row = unit.one(
            queries.SETTLE,
            product=product,
            appeal_id=appeal_id,
            caller=caller.id,
            now=now,
            **data.model_dump(),
        )
    if row is None:
        known = unit.one(queries.EXISTS, product=product, appeal_id=appeal_id)
        raise ConflictOfInterest if known else NotFound
    decision_id, user_id, action, subject_kind, subject_id = row
    if data.outcome == "overturned":
        _UNDONE[action](unit, caller, product, user_id, subject_kind, subject_id)
    notifications.notify(
        unit,
        user_id,
        product=product,
        kind=f"moderation.appeal_{data.outcome}",
        subject_kind="moderation.decision",
        subject_id=decision_id,
        values={"explanation": data.explanation},
    )
    detail = {"decision": str(decision_id), "outcome": data.outcome}
    subject = f"moderation.appeals:{appeal_id}"
    audit.record(unit, caller.id, "moderation.settle_appeal", subject, detail)
    return AppealOutcome(appeal_id=appeal_id, created_at=now, **data.model_dump())


Undo = Callable[[Connection, Caller, str, UUID, str, UUID], None]


def _nothing(*_: object) -> None:
    """A warning leaves nothing to undo."""


def _restore(
    unit: Connection, _caller: Caller, product: str, _user: UUID, kind: str, subject: UUID
) -> None:
    outbox.publish(unit, ContentRestored(product, kind, subject))


def _unban(
    unit: Connection, caller: Caller, _product: str, user: UUID, _kind: str, _subject: UUID
) -> None:
    # Somebody may have let them in already.
    with suppress(NotFound):
        users.unban(unit, caller.id, user)


_UNDONE: dict[Action, Undo] = {"warn": _nothing, "remove_content": _restore, "ban_user": _unban}
