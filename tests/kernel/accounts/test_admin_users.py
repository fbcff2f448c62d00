"""People as staff see them, and shutting somebody out from the next request on."""

import uuid
from pathlib import Path

import pytest

from tests.support import database
from tests.support.api import Api
from tests.support.logs import last_request
from tests.support.people import PASSWORD, Person, again, give_role, person
from tests.support.races import many
from tests.support.state import nothing_changes

PATH = "/v1/admin/users"
SPAM = {"reason": "spam"}


@pytest.fixture
def moderator(api: Api) -> Person:
    """A moderator of all products."""
    known = person(api)
    give_role(known, "moderator")
    return known


@pytest.fixture
def support(api: Api) -> Person:
    """Somebody of support."""
    known = person(api)
    give_role(known, "support")
    return known


@pytest.fixture
def admin(api: Api) -> Person:
    """An admin."""
    known = person(api)
    give_role(known, "admin")
    return known


def actions() -> list[tuple[object, ...]]:
    return database.execute(
        "select actor_id, action, subject, detail from core.audit_log order by id"
    )


def test_an_account_as_staff_see_it(support: Person, ana: Person) -> None:
    ana.api.patch("/v1/me", {"name": "Ana", "phone": "+5511987654321"})
    found = support.api.get(f"{PATH}/{ana.id}")
    shown = {name: found.json[name] for name in ("id", "email", "name", "status", "roles", "ban")}
    assert shown == {
        "id": str(ana.id),
        "email": ana.email,
        "name": "Ana",
        "status": "active",
        "roles": [],
        "ban": None,
    }
    for secret in ("argon2", "11987654321", "phone", "hash"):
        assert secret not in found.text
    assert actions() == [(support.id, "accounts.read_user", f"accounts.users:{ana.id}", {})]


def test_searching_by_exactly_an_address_or_an_id(
    support: Person, ana: Person, ben: Person
) -> None:
    def found(asked: str) -> list[str]:
        return [one["id"] for one in support.api.get(f"{PATH}?{asked}").json["items"]]

    assert found(f"email={ana.email.upper()}") == [str(ana.id)]
    assert found(f"user_id={ben.id}") == [str(ben.id)]
    assert found(f"email={ana.email[:-1]}") == []
    assert set(found("limit=50")) == {str(support.id), str(ana.id), str(ben.id)}
    assert [detail for *_, detail in actions()] == [
        {"by": "email"},
        {"by": "user_id"},
        {"by": "email"},
        {"by": None},
    ]


def test_pages_of_them(support: Person, ana: Person, ben: Person) -> None:
    first = support.api.get(f"{PATH}?limit=2").json
    second = support.api.get(f"{PATH}?limit=2&cursor={first['next_cursor']}").json
    seen = [one["id"] for one in first["items"] + second["items"]]
    assert (len(set(seen)), second["next_cursor"]) == (3, None)
    assert "argon2" not in str(first)


def test_a_ban_holds_at_the_next_request_on_every_token(
    api: Api, moderator: Person, ana: Person
) -> None:
    elsewhere = again(ana)
    assert moderator.api.put(f"{PATH}/{ana.id}/ban", SPAM).status == 204
    for session in (ana, elsewhere):
        assert session.api.get("/v1/me").code == "not_signed_in"
        renewed = api.post("/v1/auth/sessions/refresh", {"refresh_token": session.refresh_token})
        assert renewed.code == "accounts.refresh_refused"
    credentials = {"email": ana.email, "password": PASSWORD}
    assert api.post("/v1/auth/sessions", credentials).code == "accounts.wrong_credentials"
    shown = moderator.api.get(f"{PATH}/{ana.id}").json
    assert (shown["status"], shown["ban"]["reason"]) == ("banned", "spam")
    topics = database.execute("select topic, payload from core.outbox where topic like '%banned'")
    assert topics == [("accounts.user_banned", {"user_id": str(ana.id)})]
    assert actions()[0] == (
        moderator.id, "accounts.ban", f"accounts.users:{ana.id}", {"reason": "spam"},
    )  # fmt: skip


def test_whoever_is_let_in_again_has_to_sign_in(api: Api, moderator: Person, ana: Person) -> None:
    moderator.api.put(f"{PATH}/{ana.id}/ban", SPAM)
    assert moderator.api.delete(f"{PATH}/{ana.id}/ban").status == 204
    assert ana.api.get("/v1/me").code == "not_signed_in"
    assert again(ana).api.get("/v1/me").status == 200
    assert moderator.api.get(f"{PATH}/{ana.id}").json["ban"] is None
    assert database.execute("select reason, banned_by, lifted_by from accounts.bans") == [
        ("spam", moderator.id, moderator.id)
    ]
    with nothing_changes():
        assert moderator.api.delete(f"{PATH}/{ana.id}/ban").status == 404
    assert moderator.api.put(f"{PATH}/{ana.id}/ban", {"reason": "fraud"}).status == 204
    assert database.execute("select count(*) from accounts.bans") == [(2,)]


def test_twice_and_at_once_is_as_good_as_once(moderator: Person, ana: Person) -> None:
    answers = many(8, lambda: moderator.api.put(f"{PATH}/{ana.id}/ban", SPAM))
    assert {one.status for one in answers} == {204}
    with nothing_changes():
        again_asked = moderator.api.put(f"{PATH}/{ana.id}/ban", {"reason": "fraud"})
    assert again_asked.status == 204
    assert database.execute("select count(*) from accounts.bans") == [(1,)]
    assert len(actions()) == 1
    lifted = many(8, lambda: moderator.api.delete(f"{PATH}/{ana.id}/ban"))
    assert sorted(one.status for one in lifted) == [204] + [404] * 7


def test_staff_shut_out_nobody_above_them(
    moderator: Person, support: Person, admin: Person, api: Api
) -> None:
    other = person(api)
    give_role(other, "admin", "marketplace")
    with nothing_changes():
        for who, whom in (
            (moderator, moderator),
            (moderator, support),
            (moderator, admin),
            (moderator, other),
            (admin, admin),
            (admin, other),
        ):
            answer = who.api.put(f"{PATH}/{whom.id}/ban", SPAM)
            assert (answer.status, answer.code) == (403, "accounts.staff_above")
    assert admin.api.put(f"{PATH}/{moderator.id}/ban", SPAM).status == 204
    assert moderator.api.get(PATH).code == "not_signed_in"


@pytest.mark.parametrize(
    ("role", "product"), [(None, "all"), ("finance", "all"), ("moderator", "marketplace")]
)
def test_who_may_not(ana: Person, ben: Person, role: str | None, product: str) -> None:
    if role:
        give_role(ben, role, product)
    with nothing_changes():
        for answer in (
            ben.api.get(PATH),
            ben.api.get(f"{PATH}/{ana.id}"),
            ben.api.put(f"{PATH}/{ana.id}/ban", SPAM),
            ben.api.delete(f"{PATH}/{ana.id}/ban"),
        ):
            assert (answer.status, answer.code) == (403, "not_allowed")


def test_support_looks_and_does_not_shut_out(support: Person, ana: Person) -> None:
    assert support.api.get(PATH).status == 200
    with nothing_changes():
        assert support.api.put(f"{PATH}/{ana.id}/ban", SPAM).code == "not_allowed"
        assert support.api.delete(f"{PATH}/{ana.id}/ban").code == "not_allowed"


def test_nobody_is_not_found(moderator: Person, ana: Person) -> None:
    ana.api.post("/v1/me/erasure", {"password": PASSWORD})
    with nothing_changes():
        for identifier in (uuid.uuid4(), ana.id):
            assert moderator.api.put(f"{PATH}/{identifier}/ban", SPAM).status == 404
            assert moderator.api.delete(f"{PATH}/{identifier}/ban").status == 404
        assert moderator.api.get(f"{PATH}/{uuid.uuid4()}").status == 404
    assert moderator.api.get(f"{PATH}/{ana.id}").json["status"] == "erased"


@pytest.mark.parametrize("body", [{}, {"reason": "boredom"}, {"reason": None}])
def test_bad_input_is_named(moderator: Person, ana: Person, body: dict[str, object]) -> None:
    with nothing_changes():
        answer = moderator.api.put(f"{PATH}/{ana.id}/ban", body)
        asked = moderator.api.get(f"{PATH}?email=nobody&user_id=x")
    assert [one["field"] for one in answer.json["errors"]] == ["body.reason"]
    assert {one["field"] for one in asked.json["errors"]} == {"query.email", "query.user_id"}


def test_what_they_cost(moderator: Person, ana: Person, log_lines: Path) -> None:
    for method, path, body in (
        ("GET", PATH, None),
        ("GET", f"{PATH}/{ana.id}", None),
        ("PUT", f"{PATH}/{ana.id}/ban", SPAM),
        ("DELETE", f"{PATH}/{ana.id}/ban", None),
    ):
        moderator.api.call(method, path, body=body)
        assert last_request(log_lines)["round_trips"] == 2, path
