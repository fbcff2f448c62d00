"""Blocking, reporting, deciding and appealing."""

import uuid
from dataclasses import dataclass
from typing import Any

from chalicelib.core import signatures
from chalicelib.kernel.moderation.events import APPEAL
from tests.faults.described.marketplace import Post, post
from tests.faults.described.scene import Call, Scene, described
from tests.support import database
from tests.support.people import Person

PRODUCT = {"product": "marketplace"}
DECISION = {"action": "warn", "reason": "spam", "explanation": "The post is an advertisement."}
STATEMENT = {"statement": "The picture is mine."}
OUTCOME = {"outcome": "overturned", "explanation": "The picture is theirs."}


@dataclass(frozen=True)
class Case:
    """A case, the post it is about, and who reported that."""

    id: str
    post: Post
    reporter: Person

    @property
    def path(self) -> dict[str, str]:
        """How a path names it."""
        return PRODUCT | {"case_id": self.id}


@dataclass(frozen=True)
class Decided:
    """A decision, whom it is about, and who made it."""

    id: str
    about: Person
    by: Person


def report_of(made: Post) -> dict[str, Any]:
    """A report of a post."""
    return {
        "product": "marketplace",
        "subject_kind": "marketplace.post",
        "subject_id": made.id,
        "reason": "scam",
        "detail": "The same words to everybody.",
    }


def case(scene: Scene) -> Case:
    """A post that was reported."""
    made, reporter = post(scene), scene.person()
    answer = reporter.api.post("/v1/moderation/reports", report_of(made))
    assert answer.status == 201, answer.text
    ((case_id,),) = database.execute(
        "select case_id from moderation.reports where id = $1", uuid.UUID(answer.json["id"])
    )
    return Case(str(case_id), made, reporter)


def decided(scene: Scene) -> Decided:
    """A case that was decided: the author was warned."""
    opened, moderator = case(scene), scene.staff("moderator", "marketplace")
    path = f"/v1/admin/marketplace/cases/{opened.id}/decisions"
    answer = moderator.api.post(path, DECISION)
    assert answer.status == 201, answer.text
    return Decided(answer.json["id"], opened.post.author, moderator)


def appealed(scene: Scene, decision: Decided) -> str:
    """An appeal against a decision; its id."""
    path = f"/v1/moderation/decisions/{decision.id}/appeals"
    answer = decision.about.api.post(path, STATEMENT)
    assert answer.status == 201, answer.text
    identifier: str = answer.json["id"]
    return identifier


# Whoever was blocked may block back, so the path names somebody without any door to them.
@described("moderation_block", reach="nobody")
def block(scene: Scene) -> Call:
    """Block somebody."""
    other = scene.person()
    return Call(by=scene.person(), path={"user_id": other.id}, owner=other)


@described("moderation_unblock", reach="owner")
def unblock(scene: Scene) -> Call:
    """Take one's block back; the path names it by whom it blocks."""
    caller, other = scene.person(), scene.person()
    caller.api.put(f"/v1/moderation/blocks/{other.id}")
    return Call(by=caller, path={"user_id": other.id})


@described("moderation_blocks", reach="nobody")
def blocks(scene: Scene) -> Call:
    """Whom one has blocked."""
    caller = scene.person()
    caller.api.put(f"/v1/moderation/blocks/{scene.person().id}")
    return Call(by=caller)


@described("moderation_reports_report", reach="everyone")
def report(scene: Scene) -> Call:
    """Report a post."""
    made = post(scene)
    return Call(by=scene.person(), body=report_of(made), owner=made.author)


@described("moderation_reports_own_reports", reach="nobody")
def own_reports(scene: Scene) -> Call:
    """What one has reported."""
    return Call(by=case(scene).reporter)


@described("moderation_reports_queue", reach="staff")
def reports(scene: Scene) -> Call:
    """Moderators look at the reports of a case."""
    opened = case(scene)
    query = {"state": "open", "subject_kind": "marketplace.post", "case_id": opened.id}
    moderator = scene.staff_for("moderation_reports_queue")
    return Call(by=moderator, path=PRODUCT, query=query, owner=opened.reporter)


@described("moderation_cases_queue", reach="staff")
def cases(scene: Scene) -> Call:
    """Moderators look at what waits."""
    opened = case(scene)
    moderator = scene.staff_for("moderation_cases_queue")
    return Call(by=moderator, path=PRODUCT, query={"state": "open"}, owner=opened.post.author)


@described("moderation_cases_get", reach="staff")
def get_case(scene: Scene) -> Call:
    """Moderators look at a case."""
    opened = case(scene)
    moderator = scene.staff_for("moderation_cases_get")
    return Call(by=moderator, path=opened.path, owner=opened.post.author)


@described("moderation_cases_assign", reach="staff")
def assign(scene: Scene) -> Call:
    """A moderator takes a case."""
    opened = case(scene)
    moderator = scene.staff_for("moderation_cases_assign")
    body = {"assignee_id": str(moderator.id)}
    return Call(by=moderator, path=opened.path, body=body, owner=opened.post.author)


@described("moderation_cases_decide", reach="staff")
def decide(scene: Scene) -> Call:
    """A moderator decides a case."""
    opened = case(scene)
    moderator = scene.staff_for("moderation_cases_decide")
    return Call(by=moderator, path=opened.path, body=DECISION, owner=opened.post.author)


@described("moderation_appeals_own_decisions", reach="nobody")
def own_decisions(scene: Scene) -> Call:
    """What was decided about one's doings."""
    return Call(by=decided(scene).about)


@described("moderation_appeals_appeal", reach="owner")
def appeal(scene: Scene) -> Call:
    """Appeal a decision about oneself."""
    decision = decided(scene)
    return Call(by=decision.about, path={"decision_id": decision.id}, body=STATEMENT)


@described("moderation_appeals_appeal_by_token", reach="token")
def appeal_by_token(scene: Scene) -> Call:
    """Appeal by the token that the mail about a decision holds."""
    decision = decided(scene)
    token = signatures.sign(APPEAL, decision.id)
    return Call(path={"token": token}, body=STATEMENT, owner=decision.about)


@described("moderation_appeals_queue", reach="staff")
def appeals(scene: Scene) -> Call:
    """Moderators look at the appeals that wait."""
    decision = decided(scene)
    appealed(scene, decision)
    moderator = scene.staff_for("moderation_appeals_queue")
    return Call(by=moderator, path=PRODUCT, query={"open": "true"}, owner=decision.about)


@described("moderation_appeals_settle", reach="staff")
def settle(scene: Scene) -> Call:
    """Another moderator decides an appeal."""
    decision = decided(scene)
    path = PRODUCT | {"appeal_id": appealed(scene, decision)}
    moderator = scene.staff_for("moderation_appeals_settle")
    return Call(by=moderator, path=path, body=OUTCOME, owner=decision.about)
