"""Another address: shown to be theirs before it counts, and nobody learns whose it is already."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from chalicelib.core import clock, db
from chalicelib.kernel.accounts import service as accounts
from tests.support import database, statements
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud
from tests.support.logs import last_request
from tests.support.people import PASSWORD, Person, again, person
from tests.support.races import at_once, many
from tests.support.state import nothing_changes
from tests.support.times import Times

PATH = "/v1/me/email_changes"
VERIFY = "/v1/auth/verifications"
NEW = "ana.new@kith.example"


def ask(who: Person, email: str = NEW) -> Answer:
    return who.api.post(PATH, {"email": email, "password": PASSWORD})


def mailed_token(who: Person, cloud: Cloud, email: str = NEW) -> str:
    """A token as it comes to the new address."""
    assert ask(who, email).status == 202
    cloud.deliver()
    return cloud.mail_to(email).token


def test_the_new_address_counts_once_it_is_shown(api: Api, cloud: Cloud, ana: Person) -> None:
    token = mailed_token(ana, cloud)
    assert cloud.mail_to(NEW).subject == "Confirm your new e-mail address"
    assert "another e-mail address" in cloud.mail_to(ana.email).subject
    assert NEW not in cloud.mail_to(ana.email).text
    assert ana.api.get("/v1/me").json["email"] == ana.email
    assert api.post(VERIFY, {"token": token, "password": PASSWORD}).status == 200
    me = ana.api.get("/v1/me").json
    assert (me["id"], me["email"], me["email_verified"]) == (str(ana.id), NEW, True)
    for email, status in ((NEW, 201), (ana.email, 401)):
        body = {"email": email, "password": PASSWORD}
        assert api.post("/v1/auth/sessions", body).status == status
    with nothing_changes():
        assert (
            api.post(VERIFY, {"token": token, "password": PASSWORD}).code
            == "accounts.token_not_valid"
        )


def test_the_new_address_is_verified_from_then_on(
    api: Api, cloud: Cloud, ana: Person, times: Times
) -> None:
    verified_at = "select email_verified_at from accounts.users"
    (before,) = database.execute(verified_at)
    times.pass_by(timedelta(days=3))
    again_in = again(ana)
    first = db.write(accounts.mint_verification_token, ana.id)
    api.post(VERIFY, {"token": first, "password": PASSWORD})
    assert database.execute(verified_at) == [before]
    token = mailed_token(again_in, cloud)
    api.post(VERIFY, {"token": token, "password": PASSWORD})
    ((after,),) = database.execute(verified_at)
    assert after - before[0] > timedelta(days=2)


def test_an_address_that_was_never_verified_is_verified_by_the_new_one(
    api: Api, cloud: Cloud, newcomer: Person
) -> None:
    token = mailed_token(newcomer, cloud)
    api.post(VERIFY, {"token": token, "password": PASSWORD})
    assert newcomer.api.get("/v1/me").json["email_verified"] is True


def test_a_taken_address_tells_nothing_and_its_owner_is_told(
    api: Api, cloud: Cloud, ana: Person, ben: Person
) -> None:
    cloud.deliver()
    answers, heard, mailed = [], [], []
    for email in (NEW, ben.email.upper()):
        before = len(cloud.mails)
        with statements.listening() as said:
            answers.append(ask(ana, email))
        heard.append(said)
        cloud.deliver()
        mailed.append({mail.recipient.lower() for mail in cloud.mails[before:]})
    assert {(one.status, one.text) for one in answers} == {(202, '{"status":"accepted"}')}
    assert heard[0] == heard[1]
    assert mailed == [{ana.email, NEW}, {ana.email, ben.email}]
    told = next(one for one in cloud.mails[::-1] if one.recipient.lower() == ben.email)
    assert told.subject == "This address belongs to your account"
    assert "token=" not in told.text


def test_the_old_address_is_told_even_after_the_change(api: Api, cloud: Cloud, ana: Person) -> None:
    cloud.deliver()
    ask(ana)
    cloud.take("notifications", list(cloud.queues["notifications"]))
    told, mailed = cloud.queues.pop("notifications")[1:]
    cloud.take("notifications", [mailed])
    assert api.post(VERIFY, {"token": cloud.mail_to(NEW).token, "password": PASSWORD}).status == 200
    cloud.take("notifications", [told])
    assert "another e-mail address" in cloud.mail_to(ana.email).subject


def test_of_two_who_want_an_address_the_first_to_show_it_has_it(
    api: Api, cloud: Cloud, ana: Person, ben: Person
) -> None:
    people = [ana, ben, person(api), person(api)]
    tokens = [mailed_token(one, cloud) for one in people[:3]]
    assert ask(people[3]).status == 429
    shown = [{"token": one, "password": PASSWORD} for one in tokens]
    answers = at_once([partial(api.post, VERIFY, one) for one in shown])
    assert sorted(one.status for one in answers) == [200, 400, 400]
    assert {one.code for one in answers if one.status == 400} == {"accounts.token_not_valid"}
    assert database.execute(
        "select count(*) from accounts.users where email = 'ANA.NEW@kith.example'"
    ) == [(1,)]


def test_an_address_that_was_taken_meanwhile_stays_its_owners(
    api: Api, cloud: Cloud, ana: Person
) -> None:
    token = mailed_token(ana, cloud)
    owner = person(api, email=NEW)
    with nothing_changes():
        assert (
            api.post(VERIFY, {"token": token, "password": PASSWORD}).code
            == "accounts.token_not_valid"
        )
    assert owner.api.get("/v1/me").json["email"] == NEW


def test_a_newer_wish_replaces_the_one_before(api: Api, cloud: Cloud, ana: Person) -> None:
    older = mailed_token(ana, cloud)
    newer = mailed_token(ana, cloud, "ana.newer@kith.example")
    assert database.execute("select count(*) from accounts.tokens where kind = 'change_email'") == [
        (1,)
    ]
    assert (
        api.post(VERIFY, {"token": older, "password": PASSWORD}).code == "accounts.token_not_valid"
    )
    assert api.post(VERIFY, {"token": newer, "password": PASSWORD}).status == 200
    assert ana.api.get("/v1/me").json["email"] == "ana.newer@kith.example"


def test_a_token_makes_the_address_it_came_to_the_accounts_and_no_other(
    api: Api, cloud: Cloud, ana: Person
) -> None:
    token = mailed_token(ana, cloud)
    ask(ana, "victim@kith.example")
    assert (
        api.post(VERIFY, {"token": token, "password": PASSWORD}).code == "accounts.token_not_valid"
    )
    assert ana.api.get("/v1/me").json["email"] == ana.email


def test_wishes_at_once_leave_one(ana: Person) -> None:
    emails = [f"ana{number}@kith.example" for number in range(6)]
    answers = at_once([lambda email=email: ask(ana, email) for email in emails])  # type: ignore[misc]
    assert {one.status for one in answers} == {202}
    assert database.execute("select count(*) from accounts.tokens where kind = 'change_email'") == [
        (1,)
    ]


def test_a_new_password_takes_the_wish_back(api: Api, cloud: Cloud, ana: Person) -> None:
    token = mailed_token(ana, cloud)
    body = {"current_password": PASSWORD, "password": "tame zebras at dusk"}
    assert ana.api.put("/v1/me/password", body).status == 204
    with nothing_changes():
        assert (
            api.post(VERIFY, {"token": token, "password": PASSWORD}).code
            == "accounts.token_not_valid"
        )


def test_a_link_that_came_to_the_address_before_is_good_no_more(
    api: Api, cloud: Cloud, ana: Person
) -> None:
    api.post("/v1/auth/password_resets", {"email": ana.email})
    cloud.deliver()
    reset = cloud.mail_to(ana.email).token
    api.post(VERIFY, {"token": mailed_token(ana, cloud), "password": PASSWORD})
    with nothing_changes():
        answer = api.post("/v1/auth/passwords", {"token": reset, "password": "tame zebras"})
    assert answer.code == "accounts.token_not_valid"


@pytest.mark.parametrize(
    ("age", "status"), [(timedelta(hours=23, minutes=59), 200), (timedelta(hours=24), 400)]
)
def test_a_token_is_good_for_a_day(
    api: Api, cloud: Cloud, ana: Person, age: timedelta, status: int
) -> None:
    asked = clock.now()
    clock.follow(clock.frozen(asked))
    token = mailed_token(ana, cloud)
    clock.follow(clock.frozen(asked + age))
    assert api.post(VERIFY, {"token": token, "password": PASSWORD}).status == status


def test_of_twenty_tries_at_once_one_succeeds(api: Api, cloud: Cloud, ana: Person) -> None:
    token = mailed_token(ana, cloud)
    answers = many(
        20, lambda: api.post(VERIFY, {"token": token, "password": PASSWORD}), connections=20
    )
    assert sorted(one.status for one in answers) == [200] + [400] * 19


def test_the_wrong_password_asks_for_nothing(ana: Person, cloud: Cloud) -> None:
    with nothing_changes():
        answer = ana.api.post(PATH, {"email": NEW, "password": "not the password"})
    assert (answer.status, answer.code) == (403, "accounts.wrong_password")


def test_a_read_of_the_hash_and_a_write(ana: Person, log_lines: Path) -> None:
    ask(ana)
    assert last_request(log_lines)["round_trips"] == 3


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"body.email", "body.password"}),
        ({"email": "nobody", "password": PASSWORD}, {"body.email"}),
        ({"email": f"{'x' * 64}@{'y' * 200}.example", "password": PASSWORD}, {"body.email"}),
    ],
)
def test_bad_input_is_named(ana: Person, body: dict[str, str], fields: set[str]) -> None:
    with nothing_changes():
        answer = ana.api.post(PATH, body)
    assert answer.status == 400
    assert {problem["field"] for problem in answer.json["errors"]} == fields


def test_whoever_changes_away_and_back_is_not_made_admin_again(
    api: Api, cloud: Cloud, ana: Person
) -> None:
    admin = person(api, email="admin@kith.example")
    assert admin.api.get("/v1/me").json["roles"] == ["all:admin"]
    database.execute("update accounts.staff_roles set user_id = $1", ana.id)
    for email in (NEW, "admin@kith.example"):
        api.post(VERIFY, {"token": mailed_token(admin, cloud, email), "password": PASSWORD})
        assert admin.api.get("/v1/me").json["email"] == email
    assert admin.api.get("/v1/me").json["roles"] == []
