"""Settings: declared in code, changed by admins of their product, typed, bounded and logged."""

from typing import Any

import pytest
from sqlalchemy import select

from chalicelib.core import db, settings
from chalicelib.core.errors import ValidationFailed
from chalicelib.core.statements import statement
from tests.support import database
from tests.support.api import Api
from tests.support.people import Person, give_role, person
from tests.support.races import at_once
from tests.support.state import nothing_changes
from tests.support.statements import listening

PATH = "/v1/admin/marketplace/settings"


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting of each kind."""
    known = dict(settings._declared)  # noqa: SLF001  those of the program
    monkeypatch.setattr(settings, "_declared", known)
    settings.declare("marketplace", "test_size", default=5, description="A size", least=1, most=9)
    settings.declare("marketplace", "test_name", default="five", description="A name", most=8)
    settings.declare("marketplace", "test_switch", default=True, description="A switch")
    settings.declare("gallery", "test_size", default=7, description="Another's size")


@pytest.fixture
def admin(api: Api) -> Person:
    """An admin of the marketplace."""
    made = person(api)
    give_role(made, "admin", "marketplace")
    return made


def now() -> tuple[Any, ...] | None:
    read = statement(
        select(
            settings.integer("marketplace", "test_size"),
            settings.text("marketplace", "test_name"),
            settings.boolean("marketplace", "test_switch"),
        )
    )
    return db.read(lambda unit: unit.one(read))


def listed(who: Person) -> dict[str, Any]:
    return {one["key"]: one for one in who.api.get(PATH).json["items"]}


def test_what_an_admin_sets_holds_from_the_next_request_on(admin: Person) -> None:
    with listening() as heard:
        assert now() == (5, "five", True)
    assert len(heard) == 1
    for key, value in (("test_size", 9), ("test_name", "niné"), ("test_switch", False)):
        answer = admin.api.put(f"{PATH}/{key}", {"value": value})
        assert (answer.status, answer.json["value"]) == (200, value), answer.text
    assert now() == (9, "niné", False)
    assert admin.api.delete(f"{PATH}/test_size").status == 204
    assert admin.api.delete(f"{PATH}/test_size").status == 204
    assert now() == (5, "niné", False)


def test_an_admin_sees_what_may_be_changed(admin: Person, api: Api) -> None:
    assert admin.api.get(PATH).json["next_cursor"] is None
    told = listed(admin)
    assert told["test_size"] == {
        "key": "test_size",
        "kind": "integer",
        "value": 5,
        "default": 5,
        "least": 1,
        "most": 9,
        "description": "A size",
        "updated_at": None,
        "updated_by": None,
    }
    put = admin.api.put(f"{PATH}/test_size", {"value": 6}).json
    assert listed(admin)["test_size"] == put
    assert put["updated_by"] == str(admin.id)
    assert put["updated_at"]
    assert listed(admin).keys() >= {"test_size", "test_name", "test_switch"}


def test_what_products_declared_is_there(admin: Person) -> None:
    assert "reveals_per_day" in listed(admin)


def test_only_admins_of_the_product(admin: Person, ana: Person, api: Api) -> None:
    elsewhere, moderator, everywhere = person(api), person(api), person(api)
    give_role(elsewhere, "admin", "gallery")
    give_role(moderator, "moderator", "marketplace")
    give_role(everywhere, "admin")
    with nothing_changes():
        for who in (ana, elsewhere, moderator):
            assert who.api.get(PATH).code == "not_allowed"
            for key in ("test_size", "nothing"):
                assert who.api.put(f"{PATH}/{key}", {"value": 6}).code == "not_allowed"
                assert who.api.delete(f"{PATH}/{key}").code == "not_allowed"
        assert api.get(PATH).status == 401
        assert api.put(f"{PATH}/test_size", {"value": 6}).status == 401
        there = elsewhere.api.get("/v1/admin/gallery/settings").json["items"]
        assert [one["value"] for one in there] == [7]
    assert everywhere.api.put(f"{PATH}/test_size", {"value": 6}).status == 200


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("test_size", 0, "out_of_bounds"),
        ("test_size", 10, "out_of_bounds"),
        ("test_size", -(2**40), "out_of_bounds"),
        ("test_size", "5", "integer_type"),
        ("test_size", True, "integer_type"),
        ("test_name", 5, "text_type"),
        ("test_name", "x" * 9, "out_of_bounds"),
        ("test_switch", 1, "boolean_type"),
        ("test_switch", "true", "boolean_type"),
    ],
)
def test_a_value_of_no_use_is_named(admin: Person, key: str, value: Any, code: str) -> None:
    with nothing_changes():
        answer = admin.api.put(f"{PATH}/{key}", {"value": value})
    assert answer.status == 400
    (problem,) = answer.json["errors"]
    assert (problem["field"], problem["code"]) == ("body.value", code)


@pytest.mark.parametrize("value", [None, 1.5, [], {}])
def test_a_value_of_no_kind_is_refused(admin: Person, value: Any) -> None:
    with nothing_changes():
        answer = admin.api.put(f"{PATH}/test_size", {"value": value})
    assert answer.status == 400
    assert {one["field"].split(".")[1] for one in answer.json["errors"]} == {"value"}


def test_a_key_nobody_declared_is_not_found(admin: Person) -> None:
    with nothing_changes():
        assert admin.api.put(f"{PATH}/nothing", {"value": 1}).status == 404
        assert admin.api.delete(f"{PATH}/nothing").status == 404


def test_every_change_is_in_the_audit_log_without_anybodys_words(admin: Person) -> None:
    admin.api.put(f"{PATH}/test_size", {"value": 6})
    admin.api.put(f"{PATH}/test_name", {"value": "canary"})
    admin.api.delete(f"{PATH}/test_size")
    rows = database.execute(
        "select actor_id, action, subject, detail from core.audit_log order by id"
    )
    assert [row[1:] for row in rows] == [
        ("core.set_setting", "core.settings:marketplace.test_size", {"value": 6}),
        ("core.set_setting", "core.settings:marketplace.test_name", {}),
        ("core.reset_setting", "core.settings:marketplace.test_size", {}),
    ]
    assert {row[0] for row in rows} == {admin.id}


def test_two_at_once_leave_one_value(admin: Person) -> None:
    works = [
        lambda value=value: admin.api.put(f"{PATH}/test_size", {"value": value})
        for value in range(1, 9)
    ]
    assert {answer.status for answer in at_once(works)} == {200}
    assert database.execute("select count(*) from core.settings") == [(1,)]


def test_a_setting_is_declared_once_and_within_its_bounds() -> None:
    with pytest.raises(ValueError):
        settings.declare("marketplace", "test_size", default=6, description="Another")
    with pytest.raises(ValidationFailed):
        settings.declare("marketplace", "test_more", default=6, description="x", most=5)
    for wrong in (("marketplace", "nothing"), ("marketplace", "test_name")):
        with pytest.raises(KeyError):
            settings.integer(*wrong)
