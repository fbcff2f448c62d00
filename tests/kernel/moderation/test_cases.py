"""Cases: taken, decided once, explained, acted on, logged and appealed."""

import re
import uuid
from typing import Any

import pytest

from chalicelib.core import db, outbox, privacy, signatures
from chalicelib.core.driver import DatabaseError
from chalicelib.kernel.moderation import service as moderation
from chalicelib.kernel.moderation.events import ContentRemoved, ContentRestored
from tests.support import database
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud, Mail
from tests.support.people import PASSWORD, Person, give_role, person
from tests.support.races import at_once
from tests.support.state import nothing_changes

CASES = "/v1/admin/marketplace/cases"
APPEALS = "/v1/admin/marketplace/appeals"
LETTER = uuid.uuid4()
APPEAL = {"statement": "The letter was mine to write."}
DECISION = {"action": "warn", "reason": "spam", "explanation": "Please <b>stop</b> that."}


@pytest.fixture
def moderator(api: Api) -> Person:
    """A moderator of the marketplace."""
    made = person(api)
    give_role(made, "moderator", "marketplace")
    return made


@pytest.fixture
def other(api: Api) -> Person:
    """Another one."""
    made = person(api)
    give_role(made, "moderator", "marketplace")
    return made


@pytest.fixture(autouse=True)
def letters(ben: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something of Ben's that can be reported and removed."""
    known = moderation.Subject("marketplace.letter", removable=True, owner=lambda *_: ben.id)
    monkeypatch.setitem(moderation._subjects, known.kind, known)  # noqa: SLF001  for these tests


def report(who: Person, *, kind: str = "marketplace.letter", subject: uuid.UUID = LETTER) -> str:
    """Report something; the id of its case."""
    body = {
        "product": "marketplace",
        "subject_kind": kind,
        "subject_id": str(subject),
        "reason": "scam",
    }
    answer = who.api.post("/v1/moderation/reports", body)
    assert answer.status == 201, answer.text
    ((case_id,),) = database.execute(
        "select case_id from moderation.reports where id = $1", uuid.UUID(answer.json["id"])
    )
    return str(case_id)


def decide(who: Person, case_id: str, **changes: Any) -> Answer:
    return who.api.post(f"{CASES}/{case_id}/decisions", DECISION | changes)


def audited(subject: str) -> list[str]:
    rows = database.execute(
        "select action from core.audit_log where subject = $1 order by id", subject
    )
    return [row[0] for row in rows]


def relay(cloud: Cloud) -> None:
    """Send what was not urgent."""
    db.write(outbox.relay)
    cloud.deliver()


def told_by_mail(cloud: Cloud) -> list[Mail]:
    """The mails that are not about signing up."""
    return [mail for mail in cloud.mails if "verify_email" not in mail.text]


def topics() -> list[str]:
    return [row[0] for row in database.execute("select topic from core.outbox order by id")]


def test_a_case_gathers_what_was_reported(
    ana: Person, ben: Person, moderator: Person, api: Api
) -> None:
    case_id = report(ana)
    assert report(person(api)) == case_id
    (case,) = moderator.api.get(CASES).json["items"]
    assert (case["id"], case["reports"], case["reasons"]) == (case_id, 2, ["scam"])
    assert (case["reported_user_id"], case["decided_before"]) == (str(ben.id), 0)
    assert moderator.api.get(f"{CASES}/{case_id}").json == case


def test_cases_are_of_a_product(ana: Person, api: Api, moderator: Person) -> None:
    case_id = report(ana)
    elsewhere = person(api)
    give_role(elsewhere, "moderator", "gallery")
    with nothing_changes():
        for path in (CASES, f"{CASES}/{case_id}", APPEALS):
            assert api.get(path).status == 401
            assert ana.api.get(path).code == "not_allowed"
            assert elsewhere.api.get(path).code == "not_allowed"
        assert elsewhere.api.get(f"/v1/admin/gallery/cases/{case_id}").status == 404
        answer = elsewhere.api.post(f"/v1/admin/gallery/cases/{case_id}/decisions", DECISION)
        assert answer.status == 404
        put = elsewhere.api.put(
            f"/v1/admin/gallery/cases/{case_id}/assignee", {"assignee_id": None}
        )
        assert put.status == 404
        assert decide(ana, case_id).code == "not_allowed"
        assert moderator.api.get(f"{CASES}/{uuid.uuid4()}").status == 404


def test_a_moderator_takes_a_case_and_gives_it_back(
    ana: Person, moderator: Person, other: Person
) -> None:
    path = f"{CASES}/{report(ana)}/assignee"
    case = moderator.api.put(path, {"assignee_id": str(moderator.id)}).json
    assert case["assignee_id"] == str(moderator.id)
    assert decide(other, case["id"]).code == "moderation.case_assigned"
    assert len(moderator.api.get(f"{CASES}?assignee_id={moderator.id}").json["items"]) == 1
    assert moderator.api.get(f"{CASES}?assignee_id={other.id}").json["items"] == []
    assert other.api.put(path, {"assignee_id": None}).json["assignee_id"] is None
    assert decide(other, case["id"]).status == 201
    assert audited(f"moderation.cases:{case['id']}") == [
        "moderation.assign", "moderation.assign", "moderation.decide",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "product", "status"),
    [
        ("moderator", "all", 200),
        ("admin", "marketplace", 200),
        ("moderator", "gallery", 409),
        ("support", "marketplace", 409),
    ],
)
def test_it_goes_to_whoever_moderates_the_product(  # noqa: PLR0917  a person for each part
    ana: Person, moderator: Person, api: Api, role: str, product: str, status: int
) -> None:
    colleague = person(api)
    give_role(colleague, role, product)
    path = f"{CASES}/{report(ana)}/assignee"
    answer = moderator.api.put(path, {"assignee_id": str(colleague.id)})
    assert answer.status == status, answer.text


def test_it_goes_to_moderators_who_have_no_part_in_it(
    ana: Person, ben: Person, moderator: Person
) -> None:
    give_role(ben, "moderator", "marketplace")
    path = f"{CASES}/{report(ana)}/assignee"
    with nothing_changes():
        for who in (ana.id, ben.id, uuid.uuid4()):
            answer = moderator.api.put(path, {"assignee_id": str(who)})
            assert answer.code == "moderation.not_a_moderator"
        named = moderator.api.put(path, {"assignee_id": "x"}).json["errors"][0]["field"]
        assert named == "body.assignee_id"


def test_a_decided_case_stays_with_who_decided(ana: Person, moderator: Person) -> None:
    case_id = report(ana)
    decide(moderator, case_id)
    answer = moderator.api.put(f"{CASES}/{case_id}/assignee", {"assignee_id": None})
    assert answer.code == "moderation.case_closed"


def test_a_dismissed_case_is_closed_and_nobody_learns_of_it_but_the_reporter(
    ana: Person, ben: Person, moderator: Person, cloud: Cloud
) -> None:
    case_id = report(ana)
    answer = decide(moderator, case_id, action="dismiss")
    assert answer.status == 201, answer.text
    assert answer.json["action"] == "dismiss"
    cloud.deliver()
    relay(cloud)
    assert ben.api.get("/v1/notifications").json["items"] == []
    assert ben.api.get("/v1/moderation/decisions").json["items"] == []
    (told,) = ana.api.get("/v1/notifications").json["items"]
    assert told["kind"] == "moderation.report_decided"
    (mine,) = ana.api.get("/v1/moderation/reports").json["items"]
    assert mine["state"] == "decided"
    assert moderator.api.get(CASES).json["items"] == []
    (closed,) = moderator.api.get(f"{CASES}?state=decided").json["items"]
    assert (closed["action"], closed["assignee_id"]) == ("dismiss", str(moderator.id))
    assert told_by_mail(cloud) == []


def test_a_warning_is_told_with_its_reason(
    ana: Person, ben: Person, moderator: Person, cloud: Cloud
) -> None:
    decided = decide(moderator, report(ana)).json
    cloud.deliver()
    (told,) = ben.api.get("/v1/notifications").json["items"]
    assert (told["kind"], told["priority"]) == ("moderation.warned", "high")
    assert (told["subject_kind"], told["subject_id"]) == (
        "moderation.decision",
        decided["id"],
    )
    assert "Please <b>stop</b> that." in told["body"]
    (mail,) = told_by_mail(cloud)
    assert mail.recipient == ben.email
    assert "Please <b>stop</b> that." in mail.text
    assert "Please &lt;b&gt;stop&lt;/b&gt; that." in mail.html
    assert "list-unsubscribe" not in {name.lower() for name in mail.raw}
    (own,) = ben.api.get("/v1/moderation/decisions").json["items"]
    assert (own["id"], own["action"], own["outcome"]) == (decided["id"], "warn", None)
    assert ana.api.get("/v1/moderation/decisions").json["items"] == []


def test_content_is_removed_by_the_domain_it_is_of(
    ana: Person, ben: Person, moderator: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = decide(moderator, report(ana), action="remove_content")
    assert answer.status == 201
    assert ContentRemoved.topic in topics()
    ((payload,),) = database.execute(
        "select payload from core.outbox where topic = $1", ContentRemoved.topic
    )
    assert payload == {
        "product": "marketplace",
        "subject_kind": "marketplace.letter",
        "subject_id": str(LETTER),
    }


def test_a_person_is_no_content(ana: Person, ben: Person, moderator: Person) -> None:
    case_id = report(ana, kind="accounts.user", subject=ben.id)
    with nothing_changes():
        answer = decide(moderator, case_id, action="remove_content")
    assert answer.code == "moderation.not_removable"


def test_a_ban_holds_at_once_and_is_told_by_mail(
    ana: Person, ben: Person, moderator: Person, cloud: Cloud, api: Api
) -> None:
    assert decide(moderator, report(ana), action="ban_user").status == 201
    assert ben.api.get("/v1/me").status == 401
    signed_in = api.post("/v1/auth/sessions", {"email": ben.email, "password": PASSWORD})
    assert signed_in.status in {401, 403}
    cloud.deliver()
    assert [mail.subject for mail in told_by_mail(cloud)] == ["Your account was closed"]


def test_staff_are_not_banned_by_moderators(ana: Person, ben: Person, moderator: Person) -> None:
    give_role(ben, "support")
    case_id = report(ana)
    with nothing_changes():
        answer = decide(moderator, case_id, action="ban_user")
    assert answer.status in {403, 409}
    assert decide(moderator, case_id).status == 201


def test_nobody_decides_about_themselves(ana: Person, ben: Person, moderator: Person) -> None:
    give_role(ben, "moderator", "marketplace")
    case_id = report(ana)
    with nothing_changes():
        assert decide(ben, case_id).code == "moderation.conflict_of_interest"


def test_a_case_is_decided_once(
    ana: Person, moderator: Person, other: Person, cloud: Cloud
) -> None:
    case_id = report(ana)
    first, second = at_once([lambda: decide(moderator, case_id), lambda: decide(other, case_id)])
    assert sorted([first.status, second.status]) == [201, 409]
    assert decide(other, case_id).code == "moderation.case_closed"
    assert audited(f"moderation.cases:{case_id}") == ["moderation.decide"]
    cloud.deliver()
    assert len(told_by_mail(cloud)) == 1


def test_what_is_reported_afterwards_is_another_case(
    ana: Person, moderator: Person, api: Api
) -> None:
    case_id = report(ana)
    decide(moderator, case_id)
    assert report(ana) == case_id
    assert moderator.api.get(CASES).json["items"] == []
    another = report(person(api))
    assert another != case_id
    (case,) = moderator.api.get(CASES).json["items"]
    assert (case["id"], case["decided_before"]) == (another, 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [("action", "shoot"), ("reason", "because"), ("explanation", ""), ("explanation", None)],
)
def test_a_wrong_field_is_named(
    ana: Person, moderator: Person, field: str, value: str | None
) -> None:
    case_id = report(ana)
    with nothing_changes():
        answer = decide(moderator, case_id, **{field: value})
    assert [problem["field"] for problem in answer.json["errors"]] == [f"body.{field}"]


def test_decisions_are_never_changed(ana: Person, moderator: Person) -> None:
    decide(moderator, report(ana))
    for sql in (
        "update moderation.decisions set action = 'dismiss'",
        "delete from moderation.decisions",
        "truncate moderation.decisions cascade",
    ):
        with pytest.raises(DatabaseError) as refused:
            database.execute(sql)
        assert refused.value.sqlstate == "23001"
    database.execute("update moderation.decisions set explanation = ''")


def decision_about(who: Person, by: Person, **changes: Any) -> str:
    return str(decide(by, report(who), **changes).json["id"])


def test_an_appeal_is_made_once(ana: Person, ben: Person, moderator: Person) -> None:
    path = f"/v1/moderation/decisions/{decision_about(ana, moderator)}/appeals"
    answers = at_once([lambda: ben.api.post(path, APPEAL)] * 4)
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert ben.api.post(path, APPEAL).code == "moderation.already_appealed"
    (own,) = ben.api.get("/v1/moderation/decisions").json["items"]
    assert own["appealed_at"]
    (appeal,) = moderator.api.get(APPEALS).json["items"]
    assert appeal["statement"] == APPEAL["statement"]
    assert appeal["decided_by"] == str(moderator.id)


def test_only_ones_own_and_only_what_was_told(
    ana: Person, ben: Person, moderator: Person, api: Api
) -> None:
    mine = decision_about(ana, moderator)
    dismissed = decision_about(person(api), moderator, action="dismiss")
    with nothing_changes():
        for who, decision in (
            (ana, mine),
            (moderator, mine),
            (ben, dismissed),
            (ben, str(uuid.uuid4())),
        ):
            path = f"/v1/moderation/decisions/{decision}/appeals"
            assert who.api.post(path, APPEAL).status == 404
        path = f"/v1/moderation/decisions/{mine}/appeals"
        assert api.post(path, APPEAL).status == 401
        named = ben.api.post(path, {"statement": ""}).json["errors"][0]["field"]
        assert named == "body.statement"


def test_whoever_was_banned_appeals_by_the_link_in_the_mail(
    ana: Person, ben: Person, moderator: Person, other: Person, *, cloud: Cloud, api: Api
) -> None:
    decision_about(ana, moderator, action="ban_user")
    cloud.deliver()
    (mail,) = told_by_mail(cloud)
    assert re.search(r"/appeal\?token=", mail.text)
    answer = api.post(f"/v1/moderation/appeals/{mail.token}", APPEAL)
    assert answer.status == 201, answer.text
    again = api.post(f"/v1/moderation/appeals/{mail.token}", APPEAL)
    assert again.code == "moderation.already_appealed"
    (appeal,) = other.api.get(APPEALS).json["items"]
    path = f"{APPEALS}/{appeal['id']}/outcome"
    settled = other.api.post(path, {"outcome": "overturned", "explanation": "You were right."})
    assert settled.status == 201, settled.text
    signed_in = api.post("/v1/auth/sessions", {"email": ben.email, "password": PASSWORD})
    assert signed_in.status == 201
    cloud.deliver()
    assert "You were right." in told_by_mail(cloud)[-1].text


def test_a_token_of_anything_else_is_refused(api: Api, ana: Person) -> None:
    other = signatures.sign("notifications.unsubscribe", str(uuid.uuid4()))
    unknown = signatures.sign("moderation.appeal", str(uuid.uuid4()))
    good = signatures.sign("moderation.appeal", str(uuid.uuid4()))
    altered = ("A" if good[0] != "A" else "B") + good[1:]
    with nothing_changes():
        for token in (other, unknown, altered, "x" * 40):
            answer = api.post(f"/v1/moderation/appeals/{token}", APPEAL)
            assert answer.status == 404, token


def test_another_moderator_settles_it(
    ana: Person, ben: Person, moderator: Person, other: Person, *, cloud: Cloud, api: Api
) -> None:
    decision = decision_about(ana, moderator, action="remove_content")
    ben.api.post(f"/v1/moderation/decisions/{decision}/appeals", APPEAL)
    (appeal,) = other.api.get(APPEALS).json["items"]
    path = f"{APPEALS}/{appeal['id']}/outcome"
    body = {"outcome": "overturned", "explanation": "It was fine."}
    give_role(ben, "moderator", "marketplace")
    elsewhere = person(api)
    give_role(elsewhere, "moderator", "gallery")
    with nothing_changes():
        assert moderator.api.post(path, body).code == "moderation.conflict_of_interest"
        assert ben.api.post(path, body).code == "moderation.conflict_of_interest"
        assert ana.api.post(path, body).code == "not_allowed"
        assert elsewhere.api.post(path, body).code == "not_allowed"
        there = path.replace("marketplace", "gallery")
        assert elsewhere.api.post(there, body).status == 404
        named = other.api.post(path, body | {"outcome": "x"}).json["errors"][0]["field"]
        assert named == "body.outcome"
    answers = at_once([lambda: other.api.post(path, body)] * 4)
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert other.api.post(path, body).code == "moderation.appeal_closed"
    assert ContentRestored.topic in topics()
    assert audited(f"moderation.appeals:{appeal['id']}") == ["moderation.settle_appeal"]
    assert other.api.get(APPEALS).json["items"] == []
    (closed,) = other.api.get(f"{APPEALS}?open=false").json["items"]
    assert closed["outcome"] == "overturned"
    cloud.deliver()
    (own,) = ben.api.get("/v1/moderation/decisions").json["items"]
    assert own["outcome"] == "overturned"
    kinds = [one["kind"] for one in ben.api.get("/v1/notifications").json["items"]]
    assert kinds == ["moderation.appeal_overturned", "moderation.content_removed"]


def test_what_is_upheld_stays(ana: Person, ben: Person, moderator: Person, other: Person) -> None:
    decision = decision_about(ana, moderator, action="remove_content")
    ben.api.post(f"/v1/moderation/decisions/{decision}/appeals", APPEAL)
    (appeal,) = other.api.get(APPEALS).json["items"]
    body = {"outcome": "upheld", "explanation": "The rules forbid it."}
    assert other.api.post(f"{APPEALS}/{appeal['id']}/outcome", body).status == 201
    assert ContentRestored.topic not in topics()
    (told, _) = ben.api.get("/v1/notifications").json["items"]
    assert "The rules forbid it." in told["body"]


def test_erasing_somebody_leaves_what_was_decided_without_the_words(
    ana: Person, ben: Person, moderator: Person
) -> None:
    decision = decision_about(ana, moderator)
    ben.api.post(f"/v1/moderation/decisions/{decision}/appeals", APPEAL)
    db.write(privacy.erase, ben.id)
    assert database.execute("select action, explanation from moderation.decisions") == [
        ("warn", "")
    ]
    assert database.execute("select statement from moderation.appeals") == [("",)]


def test_what_a_person_downloads_names_no_moderator(
    ana: Person, ben: Person, moderator: Person
) -> None:
    decision_about(ana, moderator)
    exported = db.read(privacy.export, ben.id, None)
    assert "moderation.decisions" in {one.table for one in exported}
    assert str(moderator.id) not in str(exported)
    assert str(ana.id) not in str(exported)
