"""Changing one's password: by whoever knows it, and nobody else stays signed in."""

import pytest

from chalicelib.core import clock
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.logs import last_request
from tests.support.people import PASSWORD, Person, again
from tests.support.races import at_once, many
from tests.support.state import nothing_changes

PATH = "/v1/me/password"
NEW = "tame zebras at dusk"
BODY = {"current_password": PASSWORD, "password": NEW}


def test_ones_other_sessions_end_and_this_one_stays(
    api: Api, cloud: Cloud, ana: Person, log_lines: object
) -> None:
    elsewhere = again(ana)
    answer = ana.api.put(PATH, BODY)
    assert (answer.status, answer.text) == (204, "")
    assert ana.api.get("/v1/me").status == 200
    assert elsewhere.api.get("/v1/me").code == "not_signed_in"
    credentials = {"email": ana.email, "password": NEW}
    assert api.post("/v1/auth/sessions", credentials).status == 201
    assert api.post("/v1/auth/sessions", credentials | {"password": PASSWORD}).status == 401
    cloud.deliver()
    assert cloud.mail_to(ana.email).subject == "Your password was changed"


def test_a_read_of_the_hash_and_a_write(ana: Person, log_lines: object) -> None:
    ana.api.put(PATH, BODY)
    assert last_request(log_lines)["round_trips"] == 3  # type: ignore[arg-type]


def test_a_wrong_password_changes_nothing(ana: Person) -> None:
    with nothing_changes():
        answer = ana.api.put(PATH, BODY | {"current_password": "not the password"})
    assert (answer.status, answer.code) == (403, "accounts.wrong_password")


def test_the_same_request_again_no_longer_knows_the_password(ana: Person) -> None:
    assert ana.api.put(PATH, BODY).status == 204
    with nothing_changes():
        assert ana.api.put(PATH, BODY).code == "accounts.wrong_password"


def test_of_changes_at_once_one_is_made(ana: Person) -> None:
    bodies = [BODY | {"password": f"tame zebras at dusk {number}"} for number in range(8)]
    answers = at_once([lambda body=body: ana.api.put(PATH, body) for body in bodies])  # type: ignore[misc]
    assert sorted(one.status for one in answers) == [204] + [403] * 7
    made = bodies[[one.status for one in answers].index(204)]["password"]
    signed_in = Api(ana.api.app).post("/v1/auth/sessions", {"email": ana.email, "password": made})
    assert signed_in.status == 201


def test_the_address_is_verified_all_the_same(api: Api, cloud: Cloud, newcomer: Person) -> None:
    cloud.deliver()
    token = cloud.mail_to(newcomer.email).token
    assert newcomer.api.put(PATH, BODY).status == 204
    verified = api.post("/v1/auth/verifications", {"token": token, "password": NEW})
    assert verified.status == 200


def test_whoever_signs_in_at_the_same_moment_is_out_again(api: Api, ana: Person) -> None:
    def sign_in() -> int:
        return api.post("/v1/auth/sessions", {"email": ana.email, "password": PASSWORD}).status

    statuses = at_once([sign_in] * 4 + [lambda: ana.api.put(PATH, BODY).status] + [sign_in] * 4)
    assert statuses[4] == 204
    assert set(statuses) <= {201, 204, 401}
    live = "select count(*) from accounts.sessions where revoked_at is null"
    assert database.execute(live) == [(1,)]
    assert ana.api.get("/v1/me").status == 200


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"body.current_password", "body.password"}),
        (BODY | {"password": "short"}, {"body.password"}),
        (BODY | {"password": "x" * 129}, {"body.password"}),
        (BODY | {"password": "Password1"}, {"body.password"}),
    ],
)
def test_bad_input_is_named(ana: Person, body: dict[str, str], fields: set[str]) -> None:
    with nothing_changes():
        answer = ana.api.put(PATH, body)
    assert answer.status == 400
    assert {problem["field"] for problem in answer.json["errors"]} == fields


def test_whoever_found_an_open_session_guesses_ten_times(ana: Person) -> None:
    clock.follow(clock.frozen(clock.now()))
    wrong = BODY | {"current_password": "a guess"}
    statuses = [one.status for one in many(16, lambda: ana.api.put(PATH, wrong))]
    assert (statuses.count(403), statuses.count(429)) == (10, 6)
