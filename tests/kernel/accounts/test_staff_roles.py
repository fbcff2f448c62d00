"""Staff roles: given and taken by admins, on the record, and never the last one's."""

import uuid
from pathlib import Path

import pytest

from tests.support import database
from tests.support.logs import last_request
from tests.support.people import PASSWORD, Person, give_role, person
from tests.support.races import at_once, many
from tests.support.state import nothing_changes

PATH = "/v1/admin/staff_roles"
MODERATOR = {"product": "marketplace", "role": "moderator"}


@pytest.fixture
def admin(ana: Person) -> Person:
    """An admin of all products."""
    give_role(ana, "admin")
    return ana


def asked(role: dict[str, str]) -> str:
    return f"product={role['product']}&role={role['role']}"


def test_a_role_holds_from_the_next_request_on_and_so_does_its_loss(
    admin: Person, ben: Person
) -> None:
    assert admin.api.put(f"{PATH}/{ben.id}", MODERATOR).status == 204
    assert ben.api.get("/v1/me").json["roles"] == ["marketplace:moderator"]
    assert admin.api.delete(f"{PATH}/{ben.id}?{asked(MODERATOR)}").status == 204
    assert ben.api.get("/v1/me").json["roles"] == []


def test_who_did_it_is_on_the_record(admin: Person, ben: Person) -> None:
    admin.api.put(f"{PATH}/{ben.id}", MODERATOR)
    admin.api.put(f"{PATH}/{ben.id}", MODERATOR)
    admin.api.delete(f"{PATH}/{ben.id}?{asked(MODERATOR)}")
    assert database.execute(
        "select actor_id, action, subject, detail from core.audit_log order by id"
    ) == [
        (admin.id, "accounts.give_role", f"accounts.users:{ben.id}", MODERATOR),
        (admin.id, "accounts.take_role", f"accounts.users:{ben.id}", MODERATOR),
    ]


def test_everybody_with_a_role_in_pages(admin: Person, ben: Person) -> None:
    give_role(ben, "support")
    give_role(ben, "moderator", "marketplace")
    first = admin.api.get(f"{PATH}?limit=1").json
    second = admin.api.get(f"{PATH}?limit=1&cursor={first['next_cursor']}").json
    found = first["items"] + second["items"]
    assert second["next_cursor"] is None
    assert {(one["user_id"], one["email"], tuple(sorted(one["roles"]))) for one in found} == {
        (str(admin.id), admin.email, ("all:admin",)),
        (str(ben.id), ben.email, ("all:support", "marketplace:moderator")),
    }


@pytest.mark.parametrize(
    ("role", "product"),
    [(None, "all"), ("support", "all"), ("moderator", "all"), ("admin", "marketplace")],
)
def test_nobody_but_an_admin_of_all_may(
    ben: Person, role: str | None, product: str, admin: Person
) -> None:
    if role:
        give_role(ben, role, product)
    with nothing_changes():
        for answer in (
            ben.api.get(PATH),
            ben.api.put(f"{PATH}/{ben.id}", {"product": "all", "role": "admin"}),
            ben.api.delete(f"{PATH}/{admin.id}?product=all&role=admin"),
        ):
            assert (answer.status, answer.code) == (403, "not_allowed")


def test_the_last_admin_stays(admin: Person, ben: Person) -> None:
    give_role(ben, "admin", "marketplace")
    with nothing_changes():
        answer = admin.api.delete(f"{PATH}/{admin.id}?product=all&role=admin")
        assert (answer.status, answer.code) == (409, "accounts.last_admin")
        gone = admin.api.post("/v1/me/erasure", {"password": PASSWORD})
        assert (gone.status, gone.code) == (409, "accounts.last_admin")
    give_role(ben, "admin")
    assert admin.api.delete(f"{PATH}/{admin.id}?product=all&role=admin").status == 204
    assert admin.api.get(PATH).status == 403


def test_of_admins_who_remove_one_another_at_once_one_is_left(admin: Person, ben: Person) -> None:
    people = [admin, ben, *(person(ben.api) for _ in range(4))]
    for one in people[1:]:
        give_role(one, "admin")

    def remove(at: int) -> int:
        other = people[(at + 1) % len(people)]
        return people[at].api.delete(f"{PATH}/{other.id}?product=all&role=admin").status

    statuses = at_once([lambda at=at: remove(at) for at in range(len(people))])  # type: ignore[misc]
    assert set(statuses) <= {204, 403, 404, 409}
    assert database.execute("select count(*) from accounts.staff_roles") >= [(1,)]


def test_of_admins_who_all_leave_at_once_one_stays(admin: Person, ben: Person) -> None:
    people = [admin, ben, *(person(ben.api) for _ in range(3))]
    for one in people[1:]:
        give_role(one, "admin")
    statuses = at_once(
        [
            lambda one=one: one.api.post("/v1/me/erasure", {"password": PASSWORD}).status
            for one in people[:3]
        ]
        + [
            lambda one=one: one.api.delete(f"{PATH}/{one.id}?product=all&role=admin").status
            for one in people[3:]
        ]
    )
    assert sorted(statuses) == [204] * 4 + [409]
    assert database.execute("select count(*) from accounts.staff_roles") == [(1,)]


def test_twice_and_at_once_is_as_good_as_once(admin: Person, ben: Person) -> None:
    answers = many(8, lambda: admin.api.put(f"{PATH}/{ben.id}", MODERATOR))
    assert {one.status for one in answers} == {204}
    assert database.execute("select count(*) from core.audit_log") == [(1,)]
    taken = many(8, lambda: admin.api.delete(f"{PATH}/{ben.id}?{asked(MODERATOR)}"))
    assert sorted(one.status for one in taken) == [204] + [404] * 7
    assert database.execute("select count(*) from core.audit_log") == [(2,)]


def test_nobody_gets_no_role(admin: Person, ben: Person) -> None:
    database.execute("update accounts.users set status = 'banned' where id = $1", ben.id)
    with nothing_changes():
        for identifier in (uuid.uuid4(), ben.id):
            assert admin.api.put(f"{PATH}/{identifier}", MODERATOR).status == 404
        assert admin.api.delete(f"{PATH}/{ben.id}?{asked(MODERATOR)}").status == 404


def test_what_they_cost(admin: Person, ben: Person, log_lines: Path) -> None:
    admin.api.get(PATH)
    assert last_request(log_lines)["round_trips"] == 1
    admin.api.put(f"{PATH}/{ben.id}", MODERATOR)
    assert last_request(log_lines)["round_trips"] == 2
    admin.api.delete(f"{PATH}/{ben.id}?{asked(MODERATOR)}")
    assert last_request(log_lines)["round_trips"] == 2


@pytest.mark.parametrize(
    ("role", "fields"),
    [
        ({}, {"product", "role"}),
        ({"product": "nothing", "role": "support"}, {"product"}),
        ({"product": "all", "role": "owner"}, {"role"}),
    ],
)
def test_bad_input_is_named(
    admin: Person, ben: Person, role: dict[str, str], fields: set[str]
) -> None:
    with nothing_changes():
        given = admin.api.put(f"{PATH}/{ben.id}", role)
        query = "&".join(f"{name}={value}" for name, value in role.items())
        taken = admin.api.delete(f"{PATH}/{ben.id}?{query}")
    for answer, place in ((given, "body"), (taken, "query")):
        assert answer.status == 400
        assert {one["field"] for one in answer.json["errors"]} == {
            f"{place}.{name}" for name in fields
        }
