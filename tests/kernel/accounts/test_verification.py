"""Verifying an address with a mailed token: one good one at a time, for a day, once."""

import re
import threading
import time
from datetime import timedelta

import pytest

from chalicelib.core import clock, db, ids, passwords
from chalicelib.core.config import config
from chalicelib.kernel.accounts import service as accounts
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.notes import sql
from tests.support.people import PASSWORD, Person, give_role, person
from tests.support.races import at_once, many
from tests.support.state import nothing_changes
from tests.support.times import Times

PATH = "/v1/auth/verifications"
BAN = sql("update accounts.users set status = 'banned' where id = :user_id")
AGAIN = "/v1/auth/verification_requests"


def mailed_token(api: Api, cloud: Cloud, email: str = "ana@kith.example") -> str:
    """A token as it comes by mail after signing up."""
    api.post("/v1/auth/sign_ups", {"email": email, "password": PASSWORD})
    cloud.deliver()
    return cloud.mail_to(email).token


def test_the_mailed_token_verifies_the_address(api: Api, cloud: Cloud, newcomer: Person) -> None:
    assert newcomer.api.get("/v1/me").json["email_verified"] is False
    api.post(AGAIN, {"email": newcomer.email})
    cloud.deliver()
    answer = api.post(PATH, {"token": cloud.mail_to(newcomer.email).token, "password": PASSWORD})
    assert (answer.status, answer.json) == (200, {"status": "verified"})
    assert newcomer.api.get("/v1/me").json["email_verified"] is True


def test_a_token_is_good_once(api: Api, cloud: Cloud) -> None:
    token = mailed_token(api, cloud)
    assert api.post(PATH, {"token": token, "password": PASSWORD}).status == 200
    with nothing_changes():
        again = api.post(PATH, {"token": token, "password": PASSWORD})
    assert (again.status, again.code) == (400, "accounts.token_not_valid")


def test_of_twenty_tries_at_once_one_succeeds(api: Api, cloud: Cloud) -> None:
    token = mailed_token(api, cloud)
    answers = many(
        20, lambda: api.post(PATH, {"token": token, "password": PASSWORD}), connections=20
    )
    assert sorted(answer.status for answer in answers) == [200] + [400] * 19
    assert database.execute(
        "select count(*) from core.outbox where topic = 'accounts.email_verified'"
    ) == [(1,)]


def test_a_newer_token_replaces_the_one_before(api: Api, cloud: Cloud) -> None:
    older = mailed_token(api, cloud)
    api.post(AGAIN, {"email": "ana@kith.example"})
    cloud.deliver()
    newer = cloud.mail_to("ana@kith.example").token
    assert newer != older
    assert database.execute("select count(*) from accounts.tokens") == [(1,)]
    assert api.post(PATH, {"token": older, "password": PASSWORD}).code == "accounts.token_not_valid"
    assert api.post(PATH, {"token": newer, "password": PASSWORD}).status == 200


@pytest.mark.parametrize(
    ("age", "status"),
    [(timedelta(hours=23, minutes=59, seconds=59), 200), (timedelta(hours=24), 400)],
)
def test_a_token_is_good_for_a_day(api: Api, cloud: Cloud, age: timedelta, status: int) -> None:
    minted = clock.now()
    clock.follow(clock.frozen(minted))
    token = mailed_token(api, cloud)
    clock.follow(clock.frozen(minted + age))
    assert api.post(PATH, {"token": token, "password": PASSWORD}).status == status


def test_the_mail_holds_one_link_in_both_its_parts(api: Api, cloud: Cloud) -> None:
    token = mailed_token(api, cloud)
    mail = cloud.mail_to("ana@kith.example")
    link = f"{config().public_url}/verify_email?token={token}"
    assert mail.subject == "Confirm your e-mail address"
    assert "24 hours" in mail.text
    assert re.findall(r"https?://\S+", mail.text) == [link]
    assert re.findall(r'href="([^"]+)"', mail.html) == [link]


def test_the_token_is_stored_nowhere_but_as_its_hash(api: Api, cloud: Cloud) -> None:
    token = mailed_token(api, cloud)
    assert len(token) >= 43
    assert database.execute("select token_hash from accounts.tokens") == [(ids.token_hash(token),)]
    ((written,),) = database.execute(
        "select coalesce(string_agg(o::text, ''), '') from core.outbox o"
    )
    assert token not in written
    assert "ana@kith.example" not in written


def test_a_tokens_hash_is_no_token(api: Api, cloud: Cloud) -> None:
    mailed_token(api, cloud)
    ((stored,),) = database.execute("select token_hash from accounts.tokens")
    assert (
        api.post(PATH, {"token": stored, "password": PASSWORD}).code == "accounts.token_not_valid"
    )


def test_a_banned_persons_token_verifies_nothing(api: Api, cloud: Cloud) -> None:
    token = mailed_token(api, cloud)
    database.execute("update accounts.users set status = 'banned'")
    with nothing_changes():
        assert (
            api.post(PATH, {"token": token, "password": PASSWORD}).code
            == "accounts.token_not_valid"
        )


@pytest.mark.parametrize("token", [None, "", "short", "x" * 201, 7, ["x" * 30]])
def test_what_is_no_token_is_named(api: Api, token: object) -> None:
    with nothing_changes():
        answer = api.post(PATH, {"token": token, "password": PASSWORD})
    assert answer.status == 400
    assert {problem["field"].split("[")[0] for problem in answer.json["errors"]} == {"body.token"}


def test_asking_again_answers_the_same_for_everybody(
    api: Api, cloud: Cloud, ana: Person, newcomer: Person
) -> None:
    cloud.deliver()
    sent = len(cloud.mails)
    answers = [
        api.post(AGAIN, {"email": email})
        for email in (ana.email, newcomer.email, "nobody@kith.example")
    ]
    assert {(answer.status, answer.text) for answer in answers} == {(202, '{"status":"accepted"}')}
    cloud.deliver()
    assert [mail.recipient for mail in cloud.mails[sent:]] == [newcomer.email]


def test_asking_again_is_limited_to_three_an_hour_for_an_address(
    api: Api, cloud: Cloud, newcomer: Person
) -> None:
    clock.follow(clock.frozen(clock.now()))
    statuses = many(
        6,
        lambda: Api(api.app, address="198.51.100.9").post(AGAIN, {"email": newcomer.email}).status,
    )
    assert sorted(statuses) == [202] * 3 + [429] * 3


def test_asking_again_names_a_bad_address(api: Api) -> None:
    with nothing_changes():
        answer = api.post(AGAIN, {"email": "nobody"})
    assert [problem["field"] for problem in answer.json["errors"]] == ["body.email"]


def test_the_configured_address_becomes_admin_when_verified_and_nobody_else(
    api: Api, cloud: Cloud, ana: Person
) -> None:
    admin = person(api, verified=False, email="Admin@Kith.example")
    assert admin.api.get("/v1/me").json["roles"] == []
    api.post(AGAIN, {"email": "admin@kith.example"})
    cloud.deliver()
    api.post(PATH, {"token": cloud.mail_to("Admin@Kith.example").token, "password": PASSWORD})
    assert admin.api.get("/v1/me").json["roles"] == ["all:admin"]
    assert ana.api.get("/v1/me").json["roles"] == []


@pytest.mark.parametrize(("role", "product"), [("support", "all"), ("admin", "marketplace")])
def test_the_first_admin_comes_after_other_staff(
    api: Api, cloud: Cloud, ana: Person, role: str, product: str
) -> None:
    give_role(ana, role, product)
    token = mailed_token(api, cloud, "admin@kith.example")
    api.post(PATH, {"token": token, "password": PASSWORD})
    roles = database.execute("select product, role from accounts.staff_roles")
    assert set(roles) == {(product, role), ("all", "admin")}


def test_a_token_is_minted_for_nobody_who_is_banned_at_the_moment(newcomer: Person) -> None:
    database.execute("delete from accounts.tokens")
    banned, minting = threading.Event(), threading.Event()

    def ban(unit: db.Connection) -> None:
        unit.run(BAN, user_id=newcomer.id)
        banned.set()
        assert minting.wait(5)
        time.sleep(0.2)

    def mint() -> None:
        assert banned.wait(5)
        minting.set()
        db.write(accounts.mint_verification_token, newcomer.id)

    at_once([lambda: db.write(ban), mint])
    assert database.execute("select count(*) from accounts.tokens") == [(0,)]


def test_expired_tokens_are_swept_by_the_hour(api: Api, cloud: Cloud, times: Times) -> None:
    mailed_token(api, cloud)
    times.pass_by(timedelta(hours=23))
    mailed_token(api, cloud, "ben@kith.example")
    assert times.run("accounts_forget_expired") == {
        "job": "accounts_forget_expired",
        "state": "done",
        "rows": 0,
    }
    times.pass_by(timedelta(hours=2))
    assert times.run("accounts_forget_expired")["rows"] == 1
    assert database.execute(
        "select u.email::text from accounts.tokens join accounts.users u on u.id = user_id"
    ) == [("ben@kith.example",)]


def test_a_click_does_not_hand_an_address_to_whoever_signed_up_with_it(
    api: Api, cloud: Cloud
) -> None:
    token = mailed_token(api, cloud)
    with nothing_changes():
        for password in ("not the password", PASSWORD.upper(), PASSWORD + " "):
            answer = api.post(PATH, {"token": token, "password": password})
            assert (answer.status, answer.code) == (403, "accounts.wrong_password")
        assert api.post(PATH, {"token": token}).status == 400
    assert api.post(PATH, {"token": token, "password": PASSWORD}).status == 200


@pytest.mark.parametrize(
    "end",
    [
        "update accounts.tokens set used_at = created_at",
        "update accounts.tokens set expires_at = created_at",
        "update accounts.tokens set kind = 'reset_password'",
        "update accounts.users set status = 'banned'",
    ],
)
def test_a_token_that_is_good_for_nothing_does_not_help_to_guess_the_password(
    api: Api, cloud: Cloud, end: str
) -> None:
    token = mailed_token(api, cloud)
    clock.follow(clock.frozen(database.execute("select created_at from accounts.tokens")[0][0]))
    database.execute(end)
    with nothing_changes():
        answer = api.post(PATH, {"token": token, "password": "a guess"})
    assert answer.code == "accounts.token_not_valid"


@pytest.mark.parametrize("change", ["password_hash = 'another'", "status = 'banned'"])
def test_what_was_changed_meanwhile_verifies_nothing(
    api: Api, cloud: Cloud, newcomer: Person, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    cloud.deliver()
    token = cloud.mail_to(newcomer.email).token
    matches = passwords.matches

    def changed_meanwhile(stored: str | None, password: str, old_kind: str | None = None) -> bool:
        database.execute(f"update accounts.users set {change}")
        return matches(stored, password, old_kind)

    monkeypatch.setattr(passwords, "matches", changed_meanwhile)
    answer = api.post(PATH, {"token": token, "password": PASSWORD})
    assert answer.code == "accounts.token_not_valid"
    assert database.execute("select email_verified_at from accounts.users") == [(None,)]
    assert database.execute("select used_at from accounts.tokens") == [(None,)]


def test_whose_address_it_is_comes_into_their_own_by_a_new_password(api: Api, cloud: Cloud) -> None:
    squatter = person(api, verified=False, email="ana@kith.example")
    api.post("/v1/auth/password_resets", {"email": squatter.email})
    cloud.deliver()
    body = {"token": cloud.mail_to(squatter.email).token, "password": "tame zebras at dusk"}
    assert api.post("/v1/auth/passwords", body).status == 200
    assert squatter.api.get("/v1/me").status == 401
    known = {"email": squatter.email, "password": PASSWORD}
    assert api.post("/v1/auth/sessions", known).status == 401
    mine = api.post("/v1/auth/sessions", known | {"password": body["password"]}).json
    me = Api(api.app, token=mine["access_token"]).get("/v1/me").json
    assert me["email_verified"] is True
    topics = [row[0] for row in database.execute("select topic from core.outbox")]
    assert topics.count("accounts.email_verified") == 1


def test_the_configured_address_becomes_admin_by_a_new_password_as_well(
    api: Api, cloud: Cloud
) -> None:
    squatter = person(api, verified=False, email="admin@kith.example")
    api.post("/v1/auth/password_resets", {"email": squatter.email})
    cloud.deliver()
    body = {"token": cloud.mail_to(squatter.email).token, "password": "tame zebras at dusk"}
    assert api.post("/v1/auth/passwords", body).status == 200
    assert database.execute("select product, role from accounts.staff_roles") == [("all", "admin")]
