"""A forgotten password: set anew with a mailed token, and nobody learns whose address is known."""

import threading
import time
from datetime import timedelta

import pytest

from chalicelib.core import clock, db
from chalicelib.kernel.accounts import service as accounts
from tests.support import database, statements
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud
from tests.support.notes import sql
from tests.support.people import PASSWORD, Person, again
from tests.support.races import at_once, many
from tests.support.state import nothing_changes

ASK = "/v1/auth/password_resets"
PATH = "/v1/auth/passwords"
VERIFY = sql("update accounts.users set email_verified_at = created_at where id = :user_id")
NEW = "tame zebras at dusk"


def mailed_token(api: Api, cloud: Cloud, who: Person) -> str:
    """A token as it comes by mail."""
    assert api.post(ASK, {"email": who.email}).status == 202
    cloud.deliver()
    return cloud.mail_to(who.email).token


def signs_in(api: Api, who: Person, password: str) -> bool:
    answer = api.post("/v1/auth/sessions", {"email": who.email, "password": password})
    return answer.status == 201


def test_the_mailed_token_sets_the_password_and_ends_every_session(
    api: Api, cloud: Cloud, ana: Person
) -> None:
    elsewhere = again(ana)
    token = mailed_token(api, cloud, ana)
    assert cloud.mail_to(ana.email).subject == "Choose a new password"
    answer = api.post(PATH, {"token": token, "password": NEW})
    assert (answer.status, answer.json) == (200, {"status": "password_set"})
    for session in (ana, elsewhere):
        assert session.api.get("/v1/me").code == "not_signed_in"
        renewed = api.post("/v1/auth/sessions/refresh", {"refresh_token": session.refresh_token})
        assert renewed.code == "accounts.refresh_refused"
    assert not signs_in(api, ana, PASSWORD)
    assert signs_in(api, ana, NEW)
    cloud.deliver()
    assert cloud.mail_to(ana.email).subject == "Your password was changed"


def test_the_answer_and_what_it_takes_are_the_same_for_everybody(
    api: Api, cloud: Cloud, ana: Person, ben: Person, newcomer: Person
) -> None:
    database.execute("update accounts.users set status = 'banned' where id = $1", ben.id)
    cloud.deliver()
    sent, answers, heard, queued = len(cloud.mails), [], [], []
    for email in (ana.email, ben.email, newcomer.email, "nobody@kith.example"):
        with statements.listening() as said:
            answers.append(api.post(ASK, {"email": email}))
        heard.append(said)
        queued.append({name: len(waiting) for name, waiting in cloud.queues.items()})
        cloud.deliver()
    assert {(one.status, one.text) for one in answers} == {(202, '{"status":"accepted"}')}
    assert heard == [heard[0]] * 4
    assert queued == [queued[0]] * 4
    assert [mail.recipient for mail in cloud.mails[sent:]] == [ana.email, newcomer.email]


def test_asking_for_a_verification_costs_the_same_for_everybody(
    api: Api, ana: Person, newcomer: Person
) -> None:
    heard = []
    for email in (ana.email, newcomer.email, "nobody@kith.example"):
        with statements.listening() as said:
            api.post("/v1/auth/verification_requests", {"email": email})
        heard.append(said)
    assert heard == [heard[0]] * 3


def test_of_twenty_tries_at_once_one_succeeds(api: Api, cloud: Cloud, ana: Person) -> None:
    token = mailed_token(api, cloud, ana)

    def use() -> Answer:
        return api.post(PATH, {"token": token, "password": NEW})

    answers = many(20, use, connections=20)
    assert sorted(one.status for one in answers) == [200] + [400] * 19
    with nothing_changes():
        assert use().code == "accounts.token_not_valid"


def test_an_address_that_is_verified_at_the_moment_is_verified_once(
    api: Api, cloud: Cloud, newcomer: Person
) -> None:
    body = {"token": mailed_token(api, cloud, newcomer), "password": NEW}
    verified, resetting = threading.Event(), threading.Event()

    def verify(unit: db.Connection) -> None:
        unit.run(VERIFY, user_id=newcomer.id)
        verified.set()
        assert resetting.wait(5)
        time.sleep(0.2)

    def reset() -> int:
        assert verified.wait(5)
        resetting.set()
        return api.post(PATH, body).status

    assert at_once([lambda: db.write(verify), reset]) == [None, 200]
    assert database.execute("select email_verified_at = created_at from accounts.users") == [
        (True,)
    ]


@pytest.mark.parametrize(
    ("age", "status"),
    [(timedelta(minutes=59, seconds=59), 200), (timedelta(hours=1), 400)],
)
def test_a_token_is_good_for_an_hour(
    api: Api, cloud: Cloud, ana: Person, age: timedelta, status: int
) -> None:
    minted = clock.now()
    clock.follow(clock.frozen(minted))
    token = mailed_token(api, cloud, ana)
    clock.follow(clock.frozen(minted + age))
    assert api.post(PATH, {"token": token, "password": NEW}).status == status


def test_a_newer_token_replaces_the_one_before(api: Api, cloud: Cloud, ana: Person) -> None:
    older, newer = mailed_token(api, cloud, ana), mailed_token(api, cloud, ana)
    assert api.post(PATH, {"token": older, "password": NEW}).code == "accounts.token_not_valid"
    assert api.post(PATH, {"token": newer, "password": NEW}).status == 200


def test_a_token_is_good_for_what_it_was_mailed_for(
    api: Api, cloud: Cloud, ana: Person, newcomer: Person
) -> None:
    reset = mailed_token(api, cloud, ana)
    verify = db.write(accounts.mint_verification_token, newcomer.id)
    with nothing_changes():
        for path, body in (
            (PATH, {"token": verify, "password": NEW}),
            ("/v1/auth/verifications", {"token": reset, "password": PASSWORD}),
        ):
            assert api.post(path, body).code == "accounts.token_not_valid"


def test_the_token_of_somebody_banned_meanwhile_sets_nothing(
    api: Api, cloud: Cloud, ana: Person
) -> None:
    token = mailed_token(api, cloud, ana)
    database.execute("update accounts.users set status = 'banned' where id = $1", ana.id)
    with nothing_changes():
        answer = api.post(PATH, {"token": token, "password": NEW})
    assert answer.code == "accounts.token_not_valid"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"body.token", "body.password"}),
        ({"token": "x" * 43, "password": "short"}, {"body.password"}),
        ({"token": "x" * 43, "password": "password1"}, {"body.password"}),
        ({"token": 7, "password": NEW}, {"body.token"}),
    ],
)
def test_bad_input_is_named(api: Api, body: dict[str, object], fields: set[str]) -> None:
    with nothing_changes():
        answer = api.post(PATH, body)
        assert api.post(ASK, {"email": "nobody"}).json["errors"][0]["field"] == "body.email"
    assert answer.status == 400
    assert {problem["field"] for problem in answer.json["errors"]} == fields


def test_asking_is_limited_to_three_an_hour_for_an_address(api: Api, ana: Person) -> None:
    clock.follow(clock.frozen(clock.now()))
    for email in (ana.email, "nobody@kith.example"):
        statuses = many(6, lambda: Api(api.app, address="198.51.100.9").post(ASK, {"email": email}))  # noqa: B023  done within the loop
        assert sorted(one.status for one in statuses) == [202] * 3 + [429] * 3


def test_guessing_tokens_is_limited_by_where_one_is(api: Api) -> None:
    clock.follow(clock.frozen(clock.now()))
    body = {"token": "x" * 43, "password": NEW}
    statuses = [one.status for one in many(40, lambda: api.post(PATH, body))]
    assert (statuses.count(400), statuses.count(429)) == (30, 10)


def test_what_follows_from_asking_is_as_long_for_everybody(
    api: Api, cloud: Cloud, ana: Person, newcomer: Person
) -> None:
    cloud.queues.clear()
    database.execute("delete from core.outbox")
    for path, known in ((ASK, ana.email), ("/v1/auth/verification_requests", newcomer.email)):
        for email in (known, "nobody@kith.example"):
            assert api.post(path, {"email": email}).status == 202
    rows = database.execute("select payload from core.outbox")
    told = [[len(value) for value in payload.values()] for (payload,) in rows]
    assert told == [[36]] * 4
