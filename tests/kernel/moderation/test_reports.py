"""Reporting: anybody, signed in or not, once for each person and subject."""

import uuid
from functools import partial
from typing import Any

import pytest

from chalicelib.core import db, privacy, rooms
from chalicelib.kernel.moderation import service as moderation
from tests.support import database
from tests.support.api import Api
from tests.support.people import Person, give_role, person
from tests.support.races import at_once, many
from tests.support.state import nothing_changes

PATH = "/v1/moderation/reports"
QUEUE = "/v1/admin/marketplace/reports"


def report_of(who: Person, **changes: Any) -> dict[str, Any]:
    return {
        "product": "marketplace",
        "subject_kind": "accounts.user",
        "subject_id": str(who.id),
        "reason": "spam",
        "detail": "The same message to everybody.",
    } | changes


def counted(table: str) -> int:
    ((count,),) = database.execute(f"select count(*) from moderation.{table}")
    return int(count)


def test_a_person_is_reported(ana: Person, ben: Person) -> None:
    answer = ana.api.post(PATH, report_of(ben))
    assert answer.status == 201, answer.text
    told = answer.json
    assert told["state"] == "open"
    assert (told["subject_kind"], told["subject_id"]) == ("accounts.user", str(ben.id))
    assert set(told) == {
        "id", "product", "subject_kind", "subject_id", "reason", "state", "created_at",
    }  # fmt: skip
    assert ana.api.get(PATH).json["items"] == [told]
    assert ben.api.get(PATH).json["items"] == []


def test_nobody_has_to_sign_in_to_report(api: Api, ben: Person) -> None:
    assert api.post(PATH, report_of(ben)).status == 201
    assert database.execute("select reporter_id, reason from moderation.reports") == [
        (None, "spam")
    ]


def test_a_session_that_has_ended_is_told_so(ana: Person, ben: Person) -> None:
    ana.api.delete("/v1/auth/sessions")
    with nothing_changes():
        assert ana.api.post(PATH, report_of(ben)).status == 401
        assert ana.api.post(PATH, report_of(ben, subject_kind="a.b")).status == 401


def test_the_same_report_twice_is_one(ana: Person, ben: Person) -> None:
    first = ana.api.post(PATH, report_of(ben)).json
    again = ana.api.post(PATH, report_of(ben, reason="hate"))
    assert (again.status, again.json) == (201, first)
    assert (counted("reports"), counted("cases")) == (1, 1)


def test_the_same_report_at_once_is_one(ana: Person, ben: Person) -> None:
    answers = many(4, lambda: ana.api.post(PATH, report_of(ben)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert (counted("reports"), counted("cases")) == (1, 1)


def test_reports_of_one_subject_at_once_are_one_case(api: Api, ben: Person) -> None:
    reporters = [person(api) for _ in range(6)]
    answers = at_once([partial(who.api.post, PATH, report_of(ben)) for who in reporters])
    assert {answer.status for answer in answers} == {201}
    assert (counted("reports"), counted("cases")) == (6, 1)


def test_oneself_is_not_reported(ana: Person) -> None:
    with nothing_changes():
        assert ana.api.post(PATH, report_of(ana)).code == "moderation.cannot_report_oneself"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("product", "nowhere"),
        ("product", "Marketplace"),
        ("subject_kind", "accounts.nobody"),
        ("subject_kind", "x"),
        ("subject_id", "x"),
        ("reason", "because"),
        ("detail", ""),
        ("detail", "x" * 2001),
    ],
)
def test_a_wrong_field_is_named(ana: Person, ben: Person, field: str, value: str) -> None:
    with nothing_changes():
        answer = ana.api.post(PATH, report_of(ben, **{field: value}))
    assert answer.status == 400
    assert [problem["field"] for problem in answer.json["errors"]] == [f"body.{field}"]


def test_what_does_not_exist_or_is_gone_is_not_found(ana: Person, ben: Person) -> None:
    database.execute("update accounts.users set status = 'banned' where id = $1", ben.id)
    with nothing_changes():
        assert ana.api.post(PATH, report_of(ben)).status == 404
        gone = report_of(ben, subject_id=str(uuid.uuid4()))
        assert ana.api.post(PATH, gone).status == 404


def test_a_block_protects_nobody_from_being_reported(ana: Person, ben: Person) -> None:
    ben.api.put(f"/v1/moderation/blocks/{ana.id}")
    assert ana.api.post(PATH, report_of(ben)).status == 201


def test_a_product_says_whose_its_subjects_are_and_who_may_see_them(
    ana: Person, ben: Person, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = uuid.uuid4()
    seen: list[uuid.UUID | None] = []

    def owner(_unit: db.Connection, subject: uuid.UUID, viewer: uuid.UUID | None) -> Any:
        seen.append(viewer)
        return ben.id if (subject, viewer) == (letter, ana.id) else None

    known = moderation.Subject("marketplace.letter", removable=True, owner=owner)
    monkeypatch.setitem(moderation._subjects, known.kind, known)  # noqa: SLF001  for this test alone
    body = report_of(ben, subject_kind=known.kind, subject_id=str(letter))
    assert ana.api.post(PATH, body).status == 201
    assert api.post(PATH, body).status == 404
    assert seen == [ana.id, None]


def test_kinds_of_other_domains_are_looked_for_where_one_is_not_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(rooms, "load", loaded.append)
    assert moderation.subject_of("accounts.user")
    assert loaded == []
    assert moderation.subject_of("marketplace.letter") is None
    assert loaded == ["subscribers"]
    assert "accounts.user" in moderation.lasting()
    assert loaded == ["subscribers"] * 2


def test_an_address_reports_so_many_a_minute(api: Api, ben: Person) -> None:
    statuses = [api.post(PATH, report_of(ben)).status for _ in range(12)]
    assert statuses == [201] * 10 + [429] * 2


def test_erasing_the_reporter_leaves_the_report_without_their_words(
    ana: Person, ben: Person
) -> None:
    ana.api.post(PATH, report_of(ben))
    db.write(privacy.erase, ana.id)
    assert database.execute("select reason, detail from moderation.reports") == [("spam", None)]


def test_moderators_of_the_product_see_what_was_reported(
    ana: Person, ben: Person, api: Api
) -> None:
    made = ana.api.post(PATH, report_of(ben)).json
    for product in ("marketplace", "all"):
        moderator = person(api)
        give_role(moderator, "moderator", product)
        (item,) = moderator.api.get(QUEUE).json["items"]
        assert item["id"] == made["id"]
        assert item["reporter_id"] == str(ana.id)
        assert item["reported_user_id"] == str(ben.id)
        assert item["detail"] == "The same message to everybody."


def test_nobody_else_does(ana: Person, ben: Person, api: Api) -> None:
    ana.api.post(PATH, report_of(ben))
    assert api.get(QUEUE).status == 401
    assert ben.api.get(QUEUE).code == "not_allowed"
    for role, product in (("moderator", "dating"), ("support", "all"), ("finance", "all")):
        staff = person(api)
        give_role(staff, role, product)
        assert staff.api.get(QUEUE).code == "not_allowed"
    unverified = person(api, verified=False)
    give_role(unverified, "admin")
    assert unverified.api.get(QUEUE).code == "not_verified"


def test_it_is_filtered_and_paged(api: Api, ben: Person) -> None:
    moderator = person(api)
    give_role(moderator, "moderator", "marketplace")
    reporters = [person(api) for _ in range(3)]
    for number, who in enumerate(reporters):
        who.api.address = f"203.0.113.{number}"
        assert who.api.post(PATH, report_of(ben)).status == 201
    first = moderator.api.get(f"{QUEUE}?limit=2").json
    rest = moderator.api.get(f"{QUEUE}?limit=2&cursor={first['next_cursor']}").json
    reporters_seen = [one["reporter_id"] for one in first["items"] + rest["items"]]
    assert reporters_seen == [str(who.id) for who in reversed(reporters)]
    case_id = first["items"][0]["case_id"]
    for query, count in (
        (f"case_id={case_id}", 3),
        (f"case_id={uuid.uuid4()}", 0),
        ("state=decided", 0),
        ("state=open&subject_kind=accounts.user", 3),
        ("subject_kind=accounts.nobody", 0),
    ):
        assert len(moderator.api.get(f"{QUEUE}?{query}").json["items"]) == count
    assert moderator.api.get(f"{QUEUE}?state=x").json["errors"][0]["field"] == "query.state"
    assert moderator.api.get("/v1/admin/Nope/reports").status in {400, 403}
