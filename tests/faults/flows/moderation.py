"""Reports, decisions, and taking a decision back."""

from typing import Any

from tests.faults.kill_flows import Act, flow
from tests.faults.kill_stage import Stage
from tests.support import database

CASES = "/v1/admin/marketplace/cases"
APPEALS = "/v1/admin/marketplace/appeals"


def _decision(action: str) -> dict[str, Any]:
    return {"action": action, "reason": "scam", "explanation": "It was not what it said."}


def _reported(stage: Stage, post: str) -> str:
    """A case about a post, which two people reported."""
    told = {"product": "marketplace", "subject_kind": "marketplace.post", "subject_id": post}
    for _ in range(2):
        stage.prepared(stage.person(), "POST", "/v1/moderation/reports", told | {"reason": "scam"})
    ((case_id,),) = database.execute("select id from moderation.cases")
    return str(case_id)


@flow("moderation_report")
def report(stage: Stage) -> Act:
    """Somebody reports a post."""
    post, ben = stage.post_of(stage.person()), stage.person()
    told = {
        "product": "marketplace",
        "subject_kind": "marketplace.post",
        "subject_id": post,
        "reason": "spam",
    }

    def act() -> None:
        stage.ask(ben, "POST", "/v1/moderation/reports", told)

    return act


@flow("moderation_content_removed")
def remove(stage: Stage) -> Act:
    """A moderator removes a post: its author and the reporters are told."""
    case = _reported(stage, stage.post_of(stage.person()))
    staff = stage.person(role="moderator")

    def act() -> None:
        path = f"{CASES}/{case}/decisions"
        stage.ask(
            staff, "POST", path, _decision("remove_content"), done=("moderation.case_closed",)
        )
        stage.fire("core_relay")
        stage.deliver()

    return act


@flow("moderation_ban_overturned")
def overturn(stage: Stage) -> Act:
    """A moderator bans somebody, who appeals by the link in the mail; another one takes it back."""
    ana = stage.person()
    case = _reported(stage, stage.post_of(ana))
    staff, other = stage.person(role="moderator"), stage.person(role="moderator")

    def act() -> None:
        path = f"{CASES}/{case}/decisions"
        stage.ask(staff, "POST", path, _decision("ban_user"), done=("moderation.case_closed",))
        stage.deliver()
        appeal = f"/v1/moderation/appeals/{stage.mailed(ana.email).token}"
        words = {"statement": "It was what it said."}
        stage.ask(None, "POST", appeal, words, done=("moderation.already_appealed",))
        ((appeal_id,),) = database.execute("select id from moderation.appeals")
        outcome = {"outcome": "overturned", "explanation": "It was."}
        stage.ask(
            other,
            "POST",
            f"{APPEALS}/{appeal_id}/outcome",
            outcome,
            done=("moderation.appeal_closed",),
        )
        stage.deliver()

    return act
