"""Refreshing: each token is good once, and one that comes twice ends the session for both."""

from datetime import timedelta

import pytest

from chalicelib.core import clock
from tests.support import database
from tests.support.api import Api
from tests.support.people import Person, again
from tests.support.races import many
from tests.support.state import nothing_changes
from tests.support.times import Times

PATH = "/v1/auth/sessions/refresh"


def refreshed(api: Api, token: str) -> tuple[Api, str]:
    answer = api.post(PATH, {"refresh_token": token})
    assert answer.status == 200, answer.text
    return Api(api.app, token=answer.json["access_token"]), answer.json["refresh_token"]


def test_the_next_tokens_are_of_the_same_session(api: Api, ana: Person) -> None:
    renewed, token = refreshed(api, ana.refresh_token)
    assert token != ana.refresh_token
    assert renewed.get("/v1/me").json["id"] == str(ana.id)
    assert ana.api.get("/v1/me").status == 200
    assert database.execute("select count(*) from accounts.sessions") == [(1,)]
    refreshed(api, token)


def test_refreshing_notes_that_its_owner_was_active(api: Api, ana: Person, times: Times) -> None:
    times.pass_by(timedelta(days=3))
    refreshed(api, ana.refresh_token)
    ((idle,),) = database.execute("select $1 - last_active_at from accounts.users", clock.now())
    assert abs(idle) < timedelta(minutes=1)


def test_a_token_used_twice_ends_its_whole_family(api: Api, ana: Person) -> None:
    elsewhere = again(ana)
    renewed, newest = refreshed(api, ana.refresh_token)
    reused = api.post(PATH, {"refresh_token": ana.refresh_token})
    assert (reused.status, reused.code) == (401, "accounts.refresh_refused")
    assert api.post(PATH, {"refresh_token": newest}).code == "accounts.refresh_refused"
    assert renewed.get("/v1/me").status == 401
    assert ana.api.get("/v1/me").status == 401
    assert elsewhere.api.get("/v1/me").status == 200


def test_a_refresh_is_its_own_sessions_and_its_owners(
    api: Api, ana: Person, ben: Person, times: Times
) -> None:
    others = (
        "select last_active_at, expires_at, revoked_at from accounts.users u"
        " join accounts.sessions s on s.user_id = u.id where u.id = $1"
    )
    before = database.execute(others, ben.id)
    times.pass_by(timedelta(days=3))
    refreshed(api, ana.refresh_token)
    assert api.post(PATH, {"refresh_token": ana.refresh_token}).status == 401
    assert database.execute(others, ben.id) == before


def test_a_session_ends_once(api: Api, ana: Person, times: Times) -> None:
    refreshed(api, ana.refresh_token)
    api.post(PATH, {"refresh_token": ana.refresh_token})
    later = again(ana)
    ended = "select id, revoked_at from accounts.sessions where revoked_at is not null"
    (first,) = database.execute(ended)
    times.pass_by(timedelta(days=1))
    with nothing_changes():
        assert api.post(PATH, {"refresh_token": ana.refresh_token}).status == 401
    renewed, _ = refreshed(api, later.refresh_token)
    assert renewed.delete("/v1/auth/sessions").status == 204
    assert first in database.execute(ended)


def test_of_two_refreshes_at_once_one_wins_and_the_session_ends(api: Api, ana: Person) -> None:
    answers = many(2, lambda: api.post(PATH, {"refresh_token": ana.refresh_token}))
    assert sorted(answer.status for answer in answers) == [200, 401]
    winner = next(answer for answer in answers if answer.status == 200)
    assert Api(api.app, token=winner.json["access_token"]).get("/v1/me").status == 401
    body = {"refresh_token": winner.json["refresh_token"]}
    assert api.post(PATH, body).code == "accounts.refresh_refused"


def test_of_sixteen_refreshes_at_once_one_wins(api: Api, ana: Person) -> None:
    answers = many(16, lambda: api.post(PATH, {"refresh_token": ana.refresh_token}))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 15
    assert database.execute(
        "select count(*) from accounts.refresh_tokens where replaced_at is null"
    ) == [(1,)]


def test_a_session_ends_thirty_days_after_it_was_last_refreshed(
    api: Api, ana: Person, times: Times
) -> None:
    times.pass_by(timedelta(days=29))
    _, token = refreshed(api, ana.refresh_token)
    times.pass_by(timedelta(days=29))
    _, token = refreshed(api, token)
    times.pass_by(timedelta(days=30, seconds=1))
    assert api.post(PATH, {"refresh_token": token}).code == "accounts.refresh_refused"


def test_an_unknown_token_and_a_banned_owner_change_nothing(api: Api, ana: Person) -> None:
    database.execute("update accounts.users set status = 'banned'")
    with nothing_changes():
        for token in (ana.refresh_token, "x" * 43):
            answer = api.post(PATH, {"refresh_token": token})
            assert (answer.status, answer.code) == (401, "accounts.refresh_refused")


@pytest.mark.parametrize("body", [{}, {"refresh_token": "short"}, {"refresh_token": None}])
def test_bad_input_is_named(api: Api, body: dict[str, str]) -> None:
    answer = api.post(PATH, body)
    assert [problem["field"] for problem in answer.json["errors"]] == ["body.refresh_token"]


def test_an_access_token_does_not_refresh(api: Api, ana: Person) -> None:
    assert ana.api.token
    answer = api.post(PATH, {"refresh_token": ana.api.token[:200]})
    assert answer.code == "accounts.refresh_refused"


def test_ended_sessions_are_swept_with_their_tokens_a_day_later(
    api: Api, ana: Person, times: Times
) -> None:
    refreshed(api, ana.refresh_token)
    database.execute("delete from accounts.tokens")
    times.pass_by(timedelta(days=30, hours=23))
    assert times.run("accounts_forget_expired")["rows"] == 0
    later = again(ana)
    times.pass_by(timedelta(hours=2))
    assert times.run("accounts_forget_expired")["rows"] == 1
    assert database.execute("select count(*) from accounts.sessions") == [(1,)]
    assert database.execute("select count(*) from accounts.refresh_tokens") == [(1,)]
    refreshed(api, later.refresh_token)
