"""Where one is signed in, and ending that from afar."""

import uuid
from datetime import timedelta
from pathlib import Path

from chalicelib.core import clock
from tests.support import database
from tests.support.api import Api
from tests.support.logs import last_request
from tests.support.people import PASSWORD, Person, again
from tests.support.races import many
from tests.support.state import nothing_changes

PATH = "/v1/me/sessions"


def test_the_sessions_that_stand_the_newest_first(api: Api, ana: Person, ben: Person) -> None:
    signed_in = api.post(
        "/v1/auth/sessions", {"email": ana.email, "password": PASSWORD, "device": "a phone"}
    )
    phone = Api(api.app, token=signed_in.json["access_token"])
    ended = again(ana)
    ended.api.delete("/v1/auth/sessions/current")
    found = ana.api.get(PATH).json
    assert [(one["device"], one["current"]) for one in found["items"]] == [
        ("a phone", False),
        (None, True),
    ]
    assert [one["current"] for one in phone.get(PATH).json["items"]] == [True, False]
    assert len(ben.api.get(PATH).json["items"]) == 1


def test_pages_of_them(ana: Person) -> None:
    for _ in range(4):
        again(ana)
    first = ana.api.get(f"{PATH}?limit=3").json
    second = ana.api.get(f"{PATH}?limit=3&cursor={first['next_cursor']}").json
    seen = [one["id"] for one in first["items"] + second["items"]]
    assert (len(seen), len(set(seen)), second["next_cursor"]) == (5, 5, None)


def test_a_list_is_one_round_trip_and_an_end_two(ana: Person, log_lines: Path) -> None:
    listed = ana.api.get(PATH).json
    assert last_request(log_lines)["round_trips"] == 1
    ana.api.delete(f"{PATH}/{listed['items'][0]['id']}")
    assert last_request(log_lines)["round_trips"] == 2


def test_ending_one_from_another(ana: Person) -> None:
    lost = again(ana)
    identifier = lost.api.get(PATH).json["items"][0]["id"]
    assert ana.api.delete(f"{PATH}/{identifier}").status == 204
    assert lost.api.get("/v1/me").code == "not_signed_in"
    refreshed = ana.api.post("/v1/auth/sessions/refresh", {"refresh_token": lost.refresh_token})
    assert refreshed.code == "accounts.refresh_refused"
    assert ana.api.get("/v1/me").status == 200
    with nothing_changes():
        assert ana.api.delete(f"{PATH}/{identifier}").status == 404


def test_somebody_elses_session_is_not_to_be_found(ana: Person, ben: Person) -> None:
    foreign = ben.api.get(PATH).json["items"][0]["id"]
    with nothing_changes():
        for identifier in (foreign, uuid.uuid4()):
            answer = ana.api.delete(f"{PATH}/{identifier}")
            assert (answer.status, answer.code) == (404, "not_found")
        assert ana.api.delete(f"{PATH}/nonsense").json["errors"][0]["field"] == "path.session_id"
    assert ben.api.get("/v1/me").status == 200


def test_of_ends_at_once_one_is_told_of(ana: Person) -> None:
    identifier = again(ana).api.get(PATH).json["items"][0]["id"]
    answers = many(8, lambda: ana.api.delete(f"{PATH}/{identifier}"))
    assert sorted(one.status for one in answers) == [204] + [404] * 7


def test_a_session_has_ended_at_its_end(api: Api, ana: Person, ben: Person) -> None:
    elsewhere = again(ana)
    clock.follow(clock.frozen(clock.now()))
    newest, oldest = (one["id"] for one in ana.api.get(PATH).json["items"])
    ends = "update accounts.sessions set expires_at = $1 where id = $2"
    database.execute(ends, clock.now(), uuid.UUID(newest))
    assert [one["id"] for one in ana.api.get(PATH).json["items"]] == [oldest]
    with nothing_changes():
        assert ana.api.delete(f"{PATH}/{newest}").status == 404
        assert elsewhere.api.get(PATH).status == 401
        body = {"refresh_token": elsewhere.refresh_token}
        assert api.post("/v1/auth/sessions/refresh", body).status == 401


def test_an_expired_session_is_not_shown(ana: Person) -> None:
    again(ana)
    database.execute(
        "update accounts.sessions set expires_at = $1 where id = (select max(id::text)::uuid"
        " from accounts.sessions)",
        clock.now() - timedelta(seconds=1),
    )
    assert len(ana.api.get(PATH).json["items"]) == 1
