"""Attempts under a key: one effect and one answer, however often they are repeated."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from chalice.app import Chalice

from chalicelib.core import clock, jobs
from tests.support import database
from tests.support.api import Api
from tests.support.orders import CALLS, PATH, define, keys, middle, notes, post
from tests.support.people import PASSWORD, Person
from tests.support.program import program_of


@pytest.fixture(scope="module")
def program(app: Chalice) -> Iterator[Chalice]:
    """An app of such operations."""
    with program_of(define) as built:
        yield built


@pytest.fixture
def mine(program: Chalice, ana: Person, scratch: None) -> Iterator[Api]:
    """Ana at the test's own program."""
    yield Api(program, token=ana.api.token)
    middle.clear()


def anew(who: Person, program: Chalice) -> Api:
    """The same person in a new session."""
    credentials = {"email": who.email, "password": PASSWORD}
    answer = Api(who.api.app).post("/v1/auth/sessions", credentials)
    return Api(program, token=answer.json["access_token"])


def test_the_key_is_demanded(mine: Api) -> None:
    answer = post(mine, None)
    assert (answer.status, answer.code) == (400, "idempotency_key_required")
    assert notes() == 0


@pytest.mark.parametrize("key", ["x" * 256, "a b", "é", "a\tb", "\x7f", " x", "a\n"])
def test_the_key_has_a_form(mine: Api, key: str) -> None:
    answer = post(mine, key)
    assert (answer.status, answer.code) == (400, "validation_failed")
    problem = answer.json["errors"][0]
    assert (problem["field"], problem["code"]) == ("header.Idempotency-Key", "invalid")
    assert notes() == 0


@pytest.mark.parametrize("key", ["x", "!", "~" * 255, "315b3370-9b37-48a0-8436-255f4de8c604"])
def test_a_key_may_be_any_visible_ascii(mine: Api, key: str) -> None:
    assert post(mine, key).status == 201


@pytest.mark.parametrize("path", [PATH, CALLS])
def test_a_repetition_gets_the_same_bytes_and_says_so(mine: Api, path: str) -> None:
    first = post(mine, path=path, note="são")
    assert (first.status, first.json) == (201, {"number": 1, "note": "são"})
    assert "Idempotent-Replayed" not in first.headers
    for _ in range(3):
        answer = post(mine, path=path, note="são")
        assert (answer.status, answer.text) == (first.status, first.text)
        assert answer.headers["Idempotent-Replayed"] == "true"
        assert answer.headers["Request-Id"] != first.headers["Request-Id"]
    assert notes() == 1


@pytest.mark.parametrize("path", [PATH, CALLS])
def test_without_the_key_the_naive_way_each_repetition_has_its_effect(mine: Api, path: str) -> None:
    for number in range(3):
        assert post(mine, f"key-{number}", path=path).json["number"] == number + 1


def test_a_key_is_for_one_request(mine: Api) -> None:
    post(mine)
    for changed in (
        post(mine, note="y"),
        post(mine, path="/v1/tests/notes/blue"),
        post(mine, path=CALLS),
        mine.call("POST", PATH, raw=b'{"note": "x" }', key="one"),
    ):
        assert (changed.status, changed.code) == (422, "idempotency_key_reused")
    assert notes() == 1


def test_two_people_may_choose_the_same_key(mine: Api, ben: Person, program: Chalice) -> None:
    his = Api(program, token=ben.api.token)
    assert post(mine).json["number"] == 1
    answer = post(his)
    assert (answer.json["number"], answer.headers.get("Idempotent-Replayed")) == (2, None)
    assert post(his, note="y").status == 422
    assert post(mine, "two").json["number"] == 3
    assert [post(mine).json["number"], post(his).json["number"]] == [1, 2]


def test_a_refusal_is_not_kept(mine: Api) -> None:
    assert post(mine, refused=True).status == 404
    assert keys() == []
    assert post(mine).status == 201
    assert notes() == 1


def test_a_refusal_of_a_call_is_not_kept(mine: Api) -> None:
    path = CALLS
    assert post(mine, path=path, refused=True).status == 404
    assert keys() == []
    assert post(mine, path=path).status == 201


def test_input_that_is_refused_claims_no_key(mine: Api) -> None:
    assert post(mine, note=7).status == 400
    assert keys() == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_failure_before_or_after_the_work_leaves_nothing_and_can_be_repeated(
    mine: Api, moment: str
) -> None:
    def fail() -> None:
        raise RuntimeError

    setattr(middle, moment, fail)
    assert post(mine).status == 500
    assert (notes(), keys()) == (0, [])
    setattr(middle, moment, lambda: None)
    assert post(mine).json["number"] == 1


def test_a_session_that_ended_claims_no_key(mine: Api, ana: Person) -> None:
    ana.api.delete("/v1/auth/sessions/current")
    for path in (PATH, CALLS):
        assert post(mine, path=path).status == 401
    assert notes() == 0
    assert post(anew(ana, mine.app)).status == 201


def test_a_replay_asks_for_a_session_too(mine: Api, ana: Person) -> None:
    post(mine)
    ana.api.delete("/v1/auth/sessions/current")
    assert post(mine).status == 401


def test_fifteen_days_later_there_is_still_one_effect(mine: Api, ana: Person) -> None:
    first = post(mine)
    clock.follow(clock.shifted(timedelta(days=15)))
    later = anew(ana, mine.app)
    jobs.run(jobs.registered["core_forget_attempts"], clock.now())
    assert post(later).text == first.text
    assert notes() == 1
    clock.follow(clock.shifted(timedelta(days=31)))
    jobs.run(jobs.registered["core_forget_attempts"], clock.now())
    assert keys() == []


def test_a_key_is_kept_for_thirty_days(mine: Api) -> None:
    post(mine)
    kept = database.execute("select expires_at - created_at from core.idempotency_keys")
    assert kept == [(timedelta(days=30),)]


def test_an_answer_that_may_not_be_kept_is_not_kept(mine: Api) -> None:
    path = "/v1/tests/secrets"
    first = post(mine, path=path, note="canary@contact.example")
    assert first.json == {"number": 1, "note": "canary@contact.example"}
    assert [row[2:] for row in keys()] == [("done", 200, "")]
    assert "canary" not in str(keys())
    answer = post(mine, path=path, note="canary@contact.example")
    assert answer.text == first.text
    assert "canary" not in str(keys())
    assert post(mine, path=path, note="else").status == 422
    assert notes() == 1
