"""One's own account."""

from datetime import datetime

from tests.support.people import Person, give_role, person


def test_ones_own_account_and_nobody_elses(ana: Person, ben: Person) -> None:
    me = ana.api.get("/v1/me").json
    assert datetime.fromisoformat(me.pop("created_at")).tzinfo
    assert me == {
        "id": str(ana.id),
        "email": ana.email,
        "email_verified": True,
        "name": None,
        "phone": None,
        "locale": "en",
        "time_zone": "UTC",
        "next_time_zone": None,
        "next_time_zone_from": None,
        "roles": [],
    }
    assert ben.api.get("/v1/me").json["id"] == str(ben.id)


def test_roles_show_from_the_next_request_on(ana: Person) -> None:
    give_role(ana, "moderator", "marketplace")
    give_role(ana, "finance")
    assert sorted(ana.api.get("/v1/me").json["roles"]) == ["all:finance", "marketplace:moderator"]


def test_an_unverified_person_may_look(ana: Person) -> None:
    known = person(ana.api, verified=False)
    assert known.api.get("/v1/me").json["email_verified"] is False
