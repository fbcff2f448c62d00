"""Signing in: the same refusal whatever is wrong, and a session that every request looks at."""

from datetime import timedelta

import pytest

from chalicelib.core import clock, passwords
from tests.support import database, statements
from tests.support.api import Api
from tests.support.people import PASSWORD, Person, again
from tests.support.races import many
from tests.support.state import nothing_changes

PATH = "/v1/auth/sessions"


def test_tokens_that_sign_one_in(api: Api, ana: Person) -> None:
    answer = api.post(PATH, {"email": ana.email, "password": PASSWORD, "device": "a phone"})
    assert answer.status == 201
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 900)
    signed_in = Api(api.app, token=answer.json["access_token"])
    assert signed_in.get("/v1/me").json["id"] == str(ana.id)
    assert ("a phone",) in database.execute("select device from accounts.sessions")


def test_the_address_may_be_spelled_in_other_letters(api: Api, ana: Person) -> None:
    assert api.post(PATH, {"email": ana.email.upper(), "password": PASSWORD}).status == 201


def test_wrong_password_unknown_address_and_banned_person_are_answered_alike(
    api: Api, ana: Person, ben: Person
) -> None:
    database.execute("update accounts.users set status = 'banned' where id = $1", ben.id)
    tries = [
        {"email": ana.email, "password": "not the password"},
        {"email": "nobody@kith.example", "password": PASSWORD},
        {"email": ben.email, "password": PASSWORD},
    ]
    answers, heard = [], []
    with nothing_changes():
        for body in tries:
            with statements.listening() as said:
                answers.append(api.post(PATH, body))
            heard.append(said)
    assert {answer.status for answer in answers} == {401}
    bodies = [{**answer.json, "request_id": None} for answer in answers]
    assert bodies == [bodies[0]] * 3
    assert bodies[0]["code"] == "accounts.wrong_credentials"
    assert heard == [heard[0]] * 3


def test_the_last_characters_of_a_long_password_count(api: Api) -> None:
    password = "x" * 100
    api.post("/v1/auth/sign_ups", {"email": "ana@kith.example", "password": password})
    for wrong in (password[:72], password[:-1], password[:-1] + "y", password + "x"):
        answer = api.post(PATH, {"email": "ana@kith.example", "password": wrong})
        assert answer.code == "accounts.wrong_credentials", len(wrong)
    assert api.post(PATH, {"email": "ana@kith.example", "password": password}).status == 201


def test_each_sign_in_is_a_session_of_its_own(api: Api, ana: Person) -> None:
    body = {"email": ana.email, "password": PASSWORD}
    tokens = [api.post(PATH, body).json["refresh_token"] for _ in range(2)]
    tokens += [answer.json["refresh_token"] for answer in many(4, lambda: api.post(PATH, body))]
    assert len(set(tokens)) == 6
    assert database.execute("select count(*) from accounts.sessions") == [(7,)]


def test_neither_token_is_stored(api: Api, ana: Person) -> None:
    ((dump,),) = database.execute(
        "select (select string_agg(s::text, '') from accounts.sessions s)"
        " || (select string_agg(t::text, '') from accounts.refresh_tokens t)"
    )
    assert ana.refresh_token not in dump
    assert ana.api.token not in dump


def test_an_access_token_ends_after_a_quarter_of_an_hour(ana: Person) -> None:
    signed = clock.now()
    clock.follow(clock.frozen(signed + timedelta(minutes=14, seconds=58)))
    assert ana.api.get("/v1/me").status == 200
    clock.follow(clock.frozen(signed + timedelta(minutes=15, seconds=1)))
    refused = ana.api.get("/v1/me")
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_session_ends_with_a_ban_at_the_next_request(ana: Person) -> None:
    assert ana.api.get("/v1/me").status == 200
    database.execute("update accounts.users set status = 'banned' where id = $1", ana.id)
    for path in ("/v1/me", "/v1/me/sessions"):
        assert ana.api.get(path).code == "not_signed_in"


@pytest.mark.parametrize("change", ["password_hash = 'another'", "status = 'banned'"])
def test_what_changes_while_a_password_is_checked_counts(
    api: Api, ana: Person, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    matches = passwords.matches

    def changed_meanwhile(stored: str | None, password: str, old_kind: str | None = None) -> bool:
        database.execute(f"update accounts.users set {change}")
        return matches(stored, password, old_kind)

    monkeypatch.setattr(passwords, "matches", changed_meanwhile)
    answer = api.post(PATH, {"email": ana.email, "password": PASSWORD})
    assert answer.code == "accounts.wrong_credentials"
    assert database.execute("select count(*) from accounts.sessions") == [(1,)]


def test_an_outdated_hash_is_replaced_by_signing_in(ana: Person) -> None:
    stored = "select password_hash from accounts.users"
    stronger = "$argon2id$v=19$m=16,t=1,p=1$"
    from argon2 import PasswordHasher  # noqa: PLC0415  one hash with other parameters

    old = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(PASSWORD)
    assert old.startswith(stronger)
    database.execute("update accounts.users set password_hash = $1", old)
    again(ana)
    ((new,),) = database.execute(stored)
    assert not new.startswith(stronger)
    again(ana)
    assert database.execute(stored) == [(new,)]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"body.email", "body.password"}),
        ({"email": "x", "password": ""}, {"body.email", "body.password"}),
        ({"email": "a@b.example", "password": "x" * 129}, {"body.password"}),
        ({"email": "a@b.example", "password": "x", "device": ""}, {"body.device"}),
        ({"email": "a@b.example", "password": "x", "user_id": "1"}, {"body.user_id"}),
    ],
)
def test_bad_input_is_named(api: Api, body: dict[str, str], fields: set[str]) -> None:
    with nothing_changes():
        answer = api.post(PATH, body)
    assert answer.status == 400
    assert {problem["field"] for problem in answer.json["errors"]} == fields


def test_guessing_at_one_account_stops_after_ten_tries_from_however_many_places(
    api: Api, ana: Person
) -> None:
    clock.follow(clock.frozen(clock.now()))
    places = iter(range(1, 41))

    def guess() -> int:
        elsewhere = Api(api.app, address=f"198.51.100.{next(places)}")
        return elsewhere.post(PATH, {"email": ana.email, "password": "a guess"}).status

    statuses = many(40, guess)
    assert (statuses.count(401), statuses.count(429)) == (10, 30)
    assert ana.api.get("/v1/me").status == 200
