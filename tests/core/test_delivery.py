"""Workers: each event has its effect once, and what fails holds up nothing but itself."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from chalice.app import Chalice

from chalicelib.core import aws, clock, db, jobs, outbox
from chalicelib.core.db import Connection
from chalicelib.core.driver import DatabaseError
from chalicelib.core.outbox import Message
from tests.support import database, logs
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.happenings import (
    LEFT,
    RIGHT,
    Called,
    Happened,
    Noted,
    changed,
    define,
    disturbances,
    publish,
    subscribed,
    undone,
)
from tests.support.notes import add, kept
from tests.support.program import program_of
from tests.support.races import at_once, many


@pytest.fixture
def sqs(app: Chalice, api: Api, scratch: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Queues with our workers behind them."""
    with program_of(define) as program, subscribed():
        made = Cloud(program)
        monkeypatch.setattr(aws, "send_message", made.send_message)
        yield made


def poison(*numbers: int) -> None:
    """Have the subscriber on the left fail on some numbers."""

    def fail(number: int) -> None:
        if number in numbers:
            raise RuntimeError("canary@kith.example")

    disturbances.on_the_left = fail


@pytest.mark.parametrize("seed", range(3))
def test_redelivered_and_shuffled_each_event_has_its_effects_once(sqs: Cloud, seed: int) -> None:
    for number in range(20):
        publish(Happened(number))
    everything = [(name, body) for name, bodies in sqs.queues.items() for body in bodies * 5]
    random.Random(seed).shuffle(everything)
    for at in range(0, len(everything), 7):
        for name in (LEFT, RIGHT):
            batch = [body for queue, body in everything[at : at + 7] if queue == name]
            assert sqs.take(name, batch) == []
    assert kept() == [*range(20), *range(1000, 1020)]
    assert undone() == 0


def test_twins_in_parallel_have_one_effect(sqs: Cloud) -> None:
    for number in range(5):
        publish(Happened(number))
    bodies = list(sqs.queues[LEFT])
    failed = at_once([lambda: sqs.take(LEFT, bodies)] * 8, connections=8)
    assert failed == [[]] * 8
    assert kept() == list(range(5))


def test_working_first_and_recording_then_the_naive_way_has_more(sqs: Cloud) -> None:
    publish(Happened(0))
    message = Message.of(sqs.queues[LEFT][0])
    (left,) = outbox.hearing(message, LEFT)
    database.execute("alter table scratch.notes drop constraint notes_pkey")

    def naive() -> None:
        db.write(lambda unit: add(unit, 0))
        db.write(outbox.record, message, left)

    many(8, naive, connections=8)
    assert kept() == [0] * 8


def test_a_poisonous_message_fails_alone_and_is_dead_after_five_tries(sqs: Cloud) -> None:
    poison(3)
    for number in range(10):
        publish(Happened(number))
    failed = sqs.take(LEFT, sqs.queues.pop(LEFT))
    assert [Message.of(body).payload for body in failed] == [{"number": "3"}]
    assert kept() == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    sqs.queues[LEFT] = failed
    sqs.deliver()
    assert sqs.dead == [(LEFT, failed[0])]
    assert undone() == 1


def test_a_dead_letter_that_is_sent_again_is_delivered(sqs: Cloud) -> None:
    poison(3)
    publish(Happened(3))
    sqs.deliver()
    ((queue, body),) = sqs.dead
    poison()
    assert sqs.take(queue, [body] * 3) == []
    assert (kept(), undone()) == ([3, 1003], 0)


def test_what_failed_is_undone_and_leaves_no_record(sqs: Cloud) -> None:
    poison(3)
    publish(Happened(3))
    bodies = sqs.queues[LEFT]
    assert sqs.take(LEFT, bodies) == bodies
    assert kept() == []
    assert database.execute("select * from core.deliveries") == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        '{"event_id": "x", "topic": "tests.noted", "payload": {}}',
        '{"event_id": "019a9e00-0000-7000-8000-000000000001", "topic": "tests.noted"}',
    ],
)
def test_what_is_no_message_of_ours_fails_alone(sqs: Cloud, log_lines: Path, body: str) -> None:
    publish(Happened(1))
    good = sqs.queues[LEFT][0]
    assert sqs.take(LEFT, [body, good]) == [body]
    assert kept() == [1]
    assert [line["ok"] for line in logs.lines(log_lines, "message")] == [False, True]


def test_a_payload_that_lacks_a_field_fails_alone(sqs: Cloud) -> None:
    publish(Happened(1))
    good = Message.of(sqs.queues[LEFT][0])
    bad = Message(good.event_id, good.topic, {}).text()
    assert sqs.take(LEFT, [bad]) == [bad]
    assert sqs.take(LEFT, [good.text()]) == []
    assert kept() == [1]


def test_an_event_that_was_never_written_has_no_effect(sqs: Cloud) -> None:
    publish(Happened(1))
    told = Message.of(sqs.queues[LEFT][0])
    made_up = Message(told.event_id.__class__(int=7), told.topic, told.payload)
    assert sqs.take(LEFT, [made_up.text()]) == []
    assert kept() == []


def test_an_event_of_a_topic_nobody_here_hears_is_let_pass(sqs: Cloud) -> None:
    publish(Noted(1))
    jobs.run(jobs.registered["core_relay"], clock.now())
    (body,) = sqs.queues[LEFT]
    assert sqs.take(RIGHT, [body]) == []
    assert kept() == []
    assert undone() == 1


def test_of_several_on_one_queue_only_those_that_failed_are_run_again(sqs: Cloud) -> None:
    publish(Happened(3))
    body = sqs.queues[LEFT][0]
    poison(3)
    with changed(Happened.topic, "tests.hear_on_the_right", queue=LEFT):
        assert sqs.take(LEFT, [body]) == [body]
        assert kept() == [1003]
        poison()
        assert sqs.take(LEFT, [body]) == []
    assert kept() == [3, 1003]


def test_who_talks_to_a_provider_is_recorded_afterwards_and_bears_repetition(sqs: Cloud) -> None:
    calls: list[int] = []

    def provider(number: int) -> None:
        calls.append(number)
        if len(calls) == 1:
            raise ConnectionError
        assert database.execute("select * from core.deliveries") == []

    disturbances.at_the_provider = provider
    publish(Called(7))
    body = sqs.queues[LEFT][0]
    assert sqs.take(LEFT, [body]) == [body]
    assert undone() == 1
    assert sqs.take(LEFT, [body]) == []
    assert (calls, undone()) == ([7, 7], 0)


def test_a_collision_in_a_worker_is_done_again_within_the_delivery(sqs: Cloud) -> None:
    tries: list[int] = []

    def collide(number: int) -> None:
        tries.append(number)
        if len(tries) < 3:
            raise DatabaseError({"C": "40001"})

    disturbances.on_the_left = collide
    publish(Happened(1))
    assert sqs.take(LEFT, sqs.queues[LEFT]) == []
    assert (len(tries), kept()) == (3, [1])


def test_one_line_tells_of_a_message_and_nothing_of_its_content(
    sqs: Cloud, log_lines: Path
) -> None:
    poison(3)
    for number in (2, 3):
        publish(Happened(number))
    sqs.take(LEFT, sqs.queues[LEFT])
    good, bad = logs.lines(log_lines, "message")
    assert (good["worker"], good["topic"], good["ok"]) == ("support_left", "tests.happened", True)
    assert "error" not in good
    assert bad["ok"] is False
    assert bad["error"][0] == "builtins.RuntimeError"
    assert "canary" not in log_lines.read_text()


def test_a_failure_of_the_database_is_no_lost_message(sqs: Cloud) -> None:
    publish(Happened(1))
    bodies = sqs.queues[LEFT]

    def gone(unit: Connection, event: Happened) -> None:
        raise DatabaseError({"C": "57P03"})

    with changed(Happened.topic, "tests.hear_on_the_left", effect=gone):
        assert sqs.take(LEFT, bodies) == bodies
    assert sqs.take(LEFT, bodies) == []
    assert kept() == [1]
