"""Signing up: an account or a hint by mail, and an answer that tells nobody which."""

import json
from typing import Any

import pytest

from chalicelib.core import clock, sealing
from chalicelib.kernel.accounts import service as accounts
from tests.support import database, statements
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud
from tests.support.people import PASSWORD, Person
from tests.support.races import many
from tests.support.state import nothing_changes

PATH = "/v1/auth/sign_ups"
ANA = {"email": "ana@kith.example", "password": PASSWORD}


def users() -> list[tuple[Any, ...]]:
    return database.execute("select email::text, email_verified_at, status from accounts.users")


def visible(answer: Answer) -> tuple[int, str, dict[str, str]]:
    """All of an answer that does not name the request."""
    return (
        answer.status,
        answer.text,
        {name: value for name, value in answer.headers.items() if name != "Request-Id"},
    )


def test_an_account_is_opened_unverified_and_mail_goes_out(api: Api, cloud: Cloud) -> None:
    answer = api.post(PATH, ANA | {"name": "Ana", "locale": "pt-BR", "time_zone": "America/Bahia"})
    assert (answer.status, answer.json) == (202, {"status": "accepted"})
    assert users() == [("ana@kith.example", None, "active")]
    assert database.execute("select name, locale, time_zone from accounts.users") == [
        ("Ana", "pt-BR", "America/Bahia")
    ]
    cloud.deliver()
    assert [mail.recipient for mail in cloud.mails] == ["ana@kith.example"]


def test_every_account_has_a_data_key_and_a_hash_but_no_password(api: Api) -> None:
    api.post(PATH, ANA)
    ((password_hash, wrapped),) = database.execute(
        "select password_hash, wrapped_key from accounts.users"
        " join accounts.data_keys on user_id = id"
    )
    assert password_hash.startswith("$argon2id$")
    assert PASSWORD not in password_hash
    assert len(wrapped) > 32


def test_a_data_key_opens_for_its_owner_alone(ana: Person, ben: Person) -> None:
    ((wrapped,),) = database.execute(
        "select wrapped_key from accounts.data_keys where user_id = $1", ana.id
    )
    assert sealing.unwrap(f"accounts.data_keys:{ana.id}", wrapped) == accounts.data_key(
        ana.id, wrapped
    )
    with pytest.raises(sealing.CannotOpen):
        accounts.data_key(ben.id, wrapped)


def test_a_known_address_gets_the_same_bytes_by_the_same_statements(api: Api, ana: Person) -> None:
    with statements.listening() as for_unknown:
        unknown = api.post(PATH, {"email": "nobody@kith.example", "password": PASSWORD})
    with statements.listening() as for_known:
        known = api.post(PATH, {"email": ana.email.upper(), "password": "another good password"})
    assert visible(known) == visible(unknown)
    assert for_known == for_unknown


def test_a_known_address_keeps_its_password_and_is_told_by_mail(
    api: Api, cloud: Cloud, ana: Person
) -> None:
    cloud.deliver()
    before = database.execute("select password_hash, name from accounts.users")
    api.post(PATH, {"email": ana.email, "password": "another good password", "name": "Eve"})
    cloud.deliver()
    assert database.execute("select password_hash, name from accounts.users") == before
    assert cloud.mails[-1].subject == "You already have an account"
    assert "Eve" not in cloud.mails[-1].text


def test_whose_address_it_is_is_told_and_nobody_else(
    api: Api, cloud: Cloud, ana: Person, ben: Person
) -> None:
    cloud.deliver()
    for who in (ana, ben):
        api.post(PATH, ANA | {"email": who.email})
        cloud.deliver()
        assert cloud.mails[-1].recipient == who.email


def test_signing_up_twice_makes_one_account(api: Api, cloud: Cloud) -> None:
    first, second = api.post(PATH, ANA), api.post(PATH, ANA)
    assert visible(first) == visible(second)
    assert len(users()) == 1
    cloud.deliver()
    assert [mail.subject for mail in cloud.mails] == [
        "Confirm your e-mail address",
        "You already have an account",
    ]


def test_signing_up_ten_times_at_once_makes_one_account(api: Api, cloud: Cloud) -> None:
    answers = many(10, lambda: api.post(PATH, ANA))
    assert {answer.status for answer in answers} == {202}
    assert len(users()) == 1
    assert database.execute("select count(*) from accounts.data_keys") == [(1,)]
    cloud.deliver()
    welcomes = [mail for mail in cloud.mails if mail.subject.startswith("Confirm")]
    assert len(welcomes) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "ana"}, "body.email"),
        ({"email": "ana@localhost"}, "body.email"),
        ({"email": "ana@kith.example\r\nBcc: eve@evil.example"}, "body.email"),
        (
            {"email": f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.example"},
            "body.email",
        ),
        ({"email": None}, "body.email"),
        ({"password": "seven77"}, "body.password"),
        ({"password": "x" * 129}, "body.password"),
        ({"password": 12345678}, "body.password"),
        ({"name": ""}, "body.name"),
        ({"name": "n" * 81}, "body.name"),
        ({"locale": "fr"}, "body.locale"),
        ({"time_zone": "Mars/Phobos"}, "body.time_zone"),
        ({"time_zone": "../../etc/passwd"}, "body.time_zone"),
        ({"role": "admin"}, "body.role"),
        ({"email_verified_at": "2026-01-01T00:00:00Z"}, "body.email_verified_at"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(
    api: Api, changes: dict[str, Any], field: str
) -> None:
    with nothing_changes():
        answer = api.post(PATH, ANA | changes)
    assert (answer.status, answer.code) == (400, "validation_failed")
    assert [problem["field"] for problem in answer.json["errors"]] == [field]


def test_every_bad_field_is_named_at_once_without_its_value(api: Api) -> None:
    answer = api.post(PATH, {"email": "secret-email", "password": "secret", "locale": "secret-no"})
    assert {problem["field"] for problem in answer.json["errors"]} == {
        "body.email",
        "body.password",
        "body.locale",
    }
    assert "secret" not in answer.text


@pytest.mark.parametrize("missing", ["email", "password"])
def test_a_missing_field_is_named(api: Api, missing: str) -> None:
    body = {name: value for name, value in ANA.items() if name != missing}
    answer = api.post(PATH, body)
    assert [problem["field"] for problem in answer.json["errors"]] == [f"body.{missing}"]


@pytest.mark.parametrize("password", ["password", "PASSWORD1", "12345678", "QwertyUiop"])
def test_a_password_everybody_tries_first_is_refused(api: Api, password: str) -> None:
    with nothing_changes():
        answer = api.post(PATH, ANA | {"password": password})
    assert (answer.status, answer.code) == (400, "accounts.password_too_common")
    assert [problem["field"] for problem in answer.json["errors"]] == ["body.password"]


@pytest.mark.parametrize("password", ["a" * 8, "ñ" * 128, "🐎 horses at dawn", "        "])
def test_any_other_password_of_8_to_128_characters_will_do(api: Api, password: str) -> None:
    assert api.post(PATH, ANA | {"password": password}).status == 202
    assert api.post("/v1/auth/sessions", ANA | {"password": password}).status == 201


def test_no_more_than_ten_in_five_minutes_for_one_address_wherever_they_come_from(
    api: Api, ana: Person
) -> None:
    clock.follow(clock.frozen(clock.now()))
    answers = [
        Api(api.app, address=f"198.51.100.{at}").post(PATH, ANA | {"email": spelled})
        for at, spelled in enumerate(["ana@kith.example", "ANA@kith.example"] * 10)
    ]
    assert [answer.status for answer in answers] == [202] * 10 + [429] * 10
    assert int(answers[-1].headers["Retry-After"]) in range(1, 301)


def test_no_more_than_thirty_in_five_minutes_from_one_source(api: Api) -> None:
    clock.follow(clock.frozen(clock.now()))

    def attempt() -> int:
        number = next(numbers)
        body = {"email": f"bot{number}@kith.example", "password": "password"}
        forged = {"x-forwarded-for": f"192.0.2.{number}", "forwarded": f"for=192.0.2.{number}"}
        return api.post(PATH, body, headers=forged).status

    numbers = iter(range(60))
    statuses = many(60, attempt)
    assert (statuses.count(400), statuses.count(429)) == (30, 30)


def test_what_is_no_json_is_refused_without_a_trace(api: Api) -> None:
    with nothing_changes():
        for raw in (b"", b"[]", b"null", b'"x"', b"{", b'{"email": "a@b.example", "email": "c"}'):
            assert api.call("POST", PATH, raw=raw).status == 400, raw
        lone = json.dumps(ANA | {"name": "\ud800"}).encode()
        assert api.call("POST", PATH, raw=lone).status == 400
