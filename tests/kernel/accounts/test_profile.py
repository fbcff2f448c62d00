"""What people say of themselves, and a day that ends where it began."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core import clock
from tests.support import database
from tests.support.logs import last_request
from tests.support.people import Person, again
from tests.support.races import at_once
from tests.support.state import nothing_changes

PATH = "/v1/me"
PHONE = "+5511987654321"


def test_what_is_given_changes_and_the_rest_stays(ana: Person, ben: Person) -> None:
    changes = {"name": "Ana", "locale": "he", "phone": PHONE}
    before = ana.api.get(PATH).json
    answer = ana.api.patch(PATH, changes)
    assert answer.status == 200
    assert answer.json == before | changes == ana.api.get(PATH).json
    assert ana.api.patch(PATH, changes).json == answer.json
    assert ana.api.patch(PATH, {}).json == answer.json
    assert ana.api.patch(PATH, {"name": None, "phone": None}).json == before | {"locale": "he"}
    assert ben.api.get(PATH).json["locale"] == "en"


def test_a_phone_number_is_stored_sealed(ana: Person, ben: Person) -> None:
    ana.api.patch(PATH, {"phone": PHONE})
    ((row, sealed),) = database.execute(
        "select u::text, phone from accounts.users u where phone is not null"
    )
    assert PHONE not in row
    assert PHONE.encode() not in sealed
    # Put into another's row, it opens for nobody.
    database.execute("update accounts.users set phone = $1 where id = $2", sealed, ben.id)
    assert ben.api.get(PATH).status == 500


def test_of_changes_at_once_none_is_lost(ana: Person) -> None:
    changes: list[dict[str, Any]] = [
        {"name": "Ana"},
        {"phone": PHONE},
        {"locale": "he"},
        {"time_zone": "America/Sao_Paulo"},
    ]
    answers = at_once([lambda one=one: ana.api.patch(PATH, one) for one in changes])  # type: ignore[misc]
    assert {one.status for one in answers} == {200}
    me = ana.api.get(PATH).json
    assert (me["name"], me["phone"], me["locale"]) == ("Ana", PHONE, "he")
    assert me["next_time_zone"] == "America/Sao_Paulo"


def test_a_change_is_two_round_trips(ana: Person, log_lines: Path) -> None:
    ana.api.patch(PATH, {"name": "Ana", "time_zone": "America/Sao_Paulo"})
    assert last_request(log_lines)["round_trips"] == 2


def test_a_time_zone_counts_from_the_next_local_day(ana: Person) -> None:
    midday = clock.now().replace(hour=12, minute=0, second=0, microsecond=0)
    clock.follow(clock.frozen(midday))

    told = again(ana).api.patch(PATH, {"time_zone": "Asia/Jerusalem"}).json
    midnight = midday.replace(hour=0) + timedelta(days=1)
    assert datetime.fromisoformat(told["next_time_zone_from"]) == midnight
    for moment, zones in (
        (midday, ("UTC", "Asia/Jerusalem")),
        (midnight - timedelta(seconds=1), ("UTC", "Asia/Jerusalem")),
        (midnight, ("Asia/Jerusalem", None)),
    ):
        clock.follow(clock.frozen(moment))
        me = again(ana).api.get(PATH).json
        assert (me["time_zone"], me["next_time_zone"]) == zones


def test_once_the_day_has_come_the_zone_holds_everywhere(ana: Person) -> None:
    ana.api.patch(PATH, {"time_zone": "Asia/Jerusalem"})
    database.execute(
        "update accounts.users set next_time_zone_from = $1", datetime(2026, 1, 1, tzinfo=UTC)
    )
    me = ana.api.get(PATH).json
    assert (me["time_zone"], me["next_time_zone"]) == ("Asia/Jerusalem", None)
    told = ana.api.patch(PATH, {"time_zone": "America/Sao_Paulo"}).json
    assert (told["time_zone"], told["next_time_zone"]) == ("Asia/Jerusalem", "America/Sao_Paulo")
    begins = datetime.fromisoformat(told["next_time_zone_from"])
    assert begins.hour in {21, 22}
    assert ana.api.patch(PATH, {"time_zone": "America/Sao_Paulo"}).json == told


def test_going_back_to_the_zone_that_holds_takes_the_change_back(ana: Person) -> None:
    ana.api.patch(PATH, {"time_zone": "Asia/Jerusalem"})
    me = ana.api.patch(PATH, {"time_zone": "UTC"}).json
    assert (me["time_zone"], me["next_time_zone"], me["next_time_zone_from"]) == ("UTC", None, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "body.name"),
        ({"name": "x" * 81}, "body.name"),
        ({"locale": "fr"}, "body.locale"),
        ({"locale": None}, "body.locale"),
        ({"time_zone": "Mars/Olympus"}, "body.time_zone"),
        ({"time_zone": "right/UTC"}, "body.time_zone"),
        ({"time_zone": "../UTC"}, "body.time_zone"),
        ({"time_zone": None}, "body.time_zone"),
        ({"phone": "0119876"}, "body.phone"),
        ({"email": "other@kith.example"}, "body.email"),
        ({"status": "active"}, "body.status"),
        ({"password_hash": "x"}, "body.password_hash"),
    ],
)
def test_bad_input_is_named(ana: Person, body: dict[str, object], field: str) -> None:
    with nothing_changes():
        answer = ana.api.patch(PATH, body)
    assert answer.status == 400
    assert {problem["field"].split("[")[0] for problem in answer.json["errors"]} == {field}
