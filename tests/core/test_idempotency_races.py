"""Attempts under one key at the same moment: twins wait, and a call under way keeps its key."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from chalice.app import Chalice

from chalicelib.core import clock, db
from chalicelib.core.db import Connection
from chalicelib.core.errors import InternalError, NotFound, Unavailable
from tests.support import database
from tests.support.api import Answer, Api
from tests.support.notes import sql
from tests.support.orders import CALLS, define, keys, middle, notes, post
from tests.support.people import Person
from tests.support.program import program_of
from tests.support.proxy import Proxy
from tests.support.races import at_once, many


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


def claimed_at() -> datetime:
    """When the only key was claimed."""
    ((at,),) = database.execute("select created_at from core.idempotency_keys")
    assert isinstance(at, datetime)
    return at


def test_twins_at_once_have_one_effect_and_one_answer(mine: Api) -> None:
    answers = many(8, lambda: post(mine))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sorted(answer.headers.get("Idempotent-Replayed", "") for answer in answers) == [
        "",
        *["true"] * 7,
    ]
    assert notes() == 1


def test_many_keys_at_once_do_not_get_in_each_others_way(mine: Api) -> None:
    fresh = sql("insert into scratch.notes values (:id, '')")
    works = [lambda at=at: db.write(lambda unit: unit.run(fresh, id=at)) for at in range(100, 140)]
    assert at_once(works) == [1] * 40
    assert notes() == 40


def test_looking_first_and_working_then_the_naive_way_has_many_effects(scratch: None) -> None:
    look = sql("select id from scratch.notes where note = 'one'", "id")
    insert = sql("insert into scratch.notes values (:id, 'one')")
    both = threading.Barrier(8)

    def naive(number: int) -> Callable[[], None]:
        def work(unit: Connection) -> None:
            if unit.one(look) is None:
                both.wait(5)
                unit.run(insert, id=number)

        return lambda: db.write(work)

    at_once([naive(number) for number in range(8)])
    assert notes() == 8


def test_a_twin_waits_for_the_first_and_gets_its_answer(mine: Api) -> None:
    working, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        working.set()
        assert go_on.wait(5)

    middle.after = pause

    def second() -> tuple[Answer, float]:
        assert working.wait(5)
        threading.Timer(0.2, go_on.set).start()
        started = time.perf_counter()
        return post(mine), time.perf_counter() - started

    first, (twin, waited) = at_once([lambda: (post(mine), 0.0), second])
    assert (twin.text, twin.headers["Idempotent-Replayed"]) == (first[0].text, "true")
    assert waited > 0.15
    assert notes() == 1


def test_a_twin_of_one_that_fails_takes_its_place(mine: Api) -> None:
    working = threading.Event()

    def fail() -> None:
        if not working.is_set():
            working.set()
            time.sleep(0.1)
            raise RuntimeError

    middle.after = fail

    def second() -> Answer:
        assert working.wait(5)
        return post(mine)

    first, twin = at_once([lambda: post(mine), second])
    assert (first.status, twin.status) == (500, 201)
    assert "Idempotent-Replayed" not in twin.headers
    assert notes() == 1


def test_a_twin_that_waits_too_long_is_told_of_a_conflict(
    mine: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.core.driver.LOCK_TIMEOUT_MS", 100)
    working, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        working.set()
        assert go_on.wait(5)

    middle.after = pause

    def second() -> Answer:
        assert working.wait(5)
        try:
            return post(mine)
        finally:
            go_on.set()

    first, twin = at_once([lambda: post(mine), second])
    assert (first.status, twin.status, twin.code) == (201, 409, "conflict")
    assert notes() == 1
    assert post(mine).text == first.text


def test_a_twin_of_a_call_under_way_is_a_conflict_and_leaves_it_its_key(mine: Api) -> None:
    twins: list[Answer] = []
    effects: list[str] = []

    def provider(key: str) -> None:
        effects.append(key)
        if len(effects) == 1:
            twins.extend(many(3, lambda: post(mine, path=CALLS), connections=1))

    middle.provider = provider
    first = post(mine, path=CALLS)
    assert first.status == 201
    assert [(twin.status, twin.code) for twin in twins] == [(409, "conflict")] * 3
    assert effects == ["one"]
    assert notes() == 1
    assert post(mine, path=CALLS).text == first.text


def test_another_request_under_the_key_of_a_call_under_way_leaves_it_its_key(mine: Api) -> None:
    others: list[Answer] = []

    def provider(_key: str) -> None:
        if not others:
            others.extend(many(1, lambda: post(mine, path=CALLS, note="other")))

    middle.provider = provider
    assert post(mine, path=CALLS).status == 201
    assert others[0].status == 422
    assert [row[2] for row in keys()] == ["done"]


@pytest.mark.parametrize(
    ("failure", "status"), [(Unavailable(), 503), (InternalError(), 500), (RuntimeError(), 500)]
)
def test_a_call_that_failed_is_taken_up_under_its_key_at_once(
    mine: Api, failure: Exception, status: int
) -> None:
    def fail(_key: str) -> None:
        raise failure

    middle.provider = fail
    assert post(mine, path=CALLS).status == status
    assert post(mine, path=CALLS, note="other").status == 422
    middle.provider = lambda _key: None
    assert post(mine, path=CALLS).json["number"] == 1
    assert post(mine, path=CALLS).headers["Idempotent-Replayed"] == "true"
    assert notes() == 1


@pytest.mark.parametrize("failure", [NotFound(), RuntimeError()])
def test_a_call_that_fails_after_a_twin_took_it_up_leaves_the_twins_answer(
    mine: Api, failure: Exception
) -> None:
    twins: list[Answer] = []

    def provider(_key: str) -> None:
        if not twins:
            clock.follow(clock.shifted(timedelta(seconds=36)))
            middle.provider = lambda _key: None
            twins.extend(many(1, lambda: post(mine, path=CALLS)))
            raise failure

    middle.provider = provider
    assert post(mine, path=CALLS).status in (404, 500)
    assert twins[0].status == 201
    assert post(mine, path=CALLS).text == twins[0].text
    assert notes() == 1


class Killed(BaseException):
    """The process was ended in the middle."""


def test_a_call_that_was_cut_off_is_taken_up_under_its_key_later(mine: Api) -> None:
    def cut_off(_key: str) -> None:
        raise Killed

    middle.provider = cut_off
    with pytest.raises(Killed):
        post(mine, path=CALLS)
    middle.provider = lambda _key: None
    cut_off_at = claimed_at()
    clock.follow(clock.frozen(cut_off_at + timedelta(seconds=34, milliseconds=999)))
    assert post(mine, path=CALLS).status == 409
    clock.follow(clock.frozen(cut_off_at + timedelta(seconds=35)))
    assert post(mine, path=CALLS).json["number"] == 1
    assert post(mine, path=CALLS).headers["Idempotent-Replayed"] == "true"
    assert notes() == 1


def test_a_call_whose_database_fell_silent_does_not_wait_for_it_twice(
    mine: Api, proxied: None, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.core.driver.SOCKET_MARGIN_SECONDS", -8.5)
    db.close()
    middle.provider = lambda _key: proxy.mute()
    began = time.monotonic()
    assert post(mine, path=CALLS).status == 503
    assert time.monotonic() - began < 2.8
    proxy.thaw()
    clock.follow(clock.shifted(timedelta(seconds=40)))
    middle.clear()
    assert post(mine, path=CALLS).status == 201
    assert notes() == 1
