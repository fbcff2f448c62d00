"""Events: recorded with the change, sent after it, sent again until everybody recorded them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from chalice.app import Chalice

from chalicelib.core import aws, clock, db, jobs, outbox
from chalicelib.core.db import Connection
from chalicelib.core.outbox import Event, Message, Subscriber
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.happenings import (
    LEFT,
    RIGHT,
    Happened,
    Ignored,
    Noted,
    define,
    hear_on_the_left,
    publish,
    subscribed,
    undone,
)
from tests.support.notes import add, kept
from tests.support.program import program_of
from tests.support.races import many

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def sqs(app: Chalice, api: Api, scratch: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Queues with our workers behind them."""
    with program_of(define) as program, subscribed():
        made = Cloud(program)
        monkeypatch.setattr(aws, "send_message", made.send_message)
        yield made


def relay(at: datetime | None = None) -> int:
    """Run the relay as its schedule does; how many events it sent."""
    if at is not None:
        clock.follow(clock.frozen(at))
    sent = jobs.run(jobs.registered["core_relay"], clock.now())
    assert sent["state"] in {"done", "skipped"}
    return int(sent["rows"])


def waiting(sqs: Cloud) -> dict[str, int]:
    return {name: len(bodies) for name, bodies in sqs.queues.items() if bodies}


def test_an_urgent_event_is_sent_to_every_queue_right_after_commit(sqs: Cloud) -> None:
    def work(unit: Connection) -> None:
        outbox.publish(unit, Happened(7))
        assert waiting(sqs) == {}
        add(unit, 1)

    before = db.session.trips
    db.write(work)
    assert db.session.trips - before == 2
    assert waiting(sqs) == {LEFT: 1, RIGHT: 1}
    message = Message.of(sqs.queues[LEFT][0])
    assert (message.topic, message.payload) == ("tests.happened", {"number": "7"})
    assert message.event() == Happened(7)
    assert sqs.queues[LEFT] == sqs.queues[RIGHT]


def test_an_event_falls_with_its_transaction(sqs: Cloud) -> None:
    def work(unit: Connection) -> None:
        outbox.publish(unit, Happened(7))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.write(work)
    assert (waiting(sqs), undone()) == ({}, 0)


def test_publishing_after_the_change_the_naive_way_tells_of_what_never_was(sqs: Cloud) -> None:
    def naive(unit: Connection) -> None:
        sqs.send_message(outbox.url_of(LEFT), Message(UUID(int=1), "tests.noted", {}).text())
        add(unit, 1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.write(naive)
    assert (kept(), waiting(sqs)) == ([], {LEFT: 1})


def test_an_event_nobody_waits_for_goes_with_the_sweep(sqs: Cloud) -> None:
    publish(Noted(7))
    assert waiting(sqs) == {}
    assert relay() == 1
    assert waiting(sqs) == {LEFT: 1}


def test_an_event_nobody_hears_is_done_as_it_is_written(sqs: Cloud) -> None:
    publish(Ignored(7))
    assert (waiting(sqs), undone()) == ({}, 0)
    assert database.execute("select count(*) from core.outbox where done_at is not null") == [(1,)]
    assert relay() == 0


def test_an_event_is_done_when_all_have_recorded_it(sqs: Cloud) -> None:
    publish(Happened(7))
    left, right = sqs.queues.pop(LEFT), sqs.queues.pop(RIGHT)
    assert sqs.take(LEFT, left) == []
    assert undone() == 1
    assert sqs.take(RIGHT, right) == []
    assert undone() == 0
    assert kept() == [7, 1007]


def test_what_two_finished_without_seeing_each_other_the_sweep_finds_done(sqs: Cloud) -> None:
    publish(Happened(7))
    database.execute(
        "insert into core.deliveries select id, s.subscriber, created_at"
        " from core.outbox join core.subscriptions s using (topic)"
    )
    assert undone() == 1
    assert relay(clock.now() + timedelta(minutes=2)) == 0
    assert undone() == 0


def test_a_lost_sending_does_not_fail_the_work_and_is_made_up_after_a_minute(sqs: Cloud) -> None:
    clock.follow(clock.frozen(NOON))
    sqs.down = True
    publish(Happened(7))
    assert undone() == 1
    sqs.down = False
    assert relay(NOON + timedelta(seconds=59)) == 0
    assert relay(NOON + timedelta(seconds=60)) == 1
    assert waiting(sqs) == {LEFT: 1, RIGHT: 1}
    sqs.deliver()
    assert (kept(), undone()) == ([7, 1007], 0)


def test_after_commit_alone_the_naive_way_the_event_would_be_lost(sqs: Cloud) -> None:
    sqs.down = True

    def naive(unit: Connection) -> None:
        add(unit, 1)
        unit.after_commit(lambda: sqs.send_message(outbox.url_of(LEFT), "{}"))

    db.write(naive)
    sqs.down = False
    assert relay(clock.now() + timedelta(days=1)) == 0
    assert (kept(), waiting(sqs)) == ([1], {})


@pytest.mark.parametrize(
    ("event", "minutes"), [(Happened(7), [1, 3, 7, 15, 31]), (Noted(7), [0, 1, 3, 7, 15, 31])]
)
def test_what_is_not_recorded_is_sent_again_after_ever_longer_pauses(
    sqs: Cloud, event: Event, minutes: list[int]
) -> None:
    clock.follow(clock.frozen(NOON))
    publish(event)
    sqs.queues.clear()
    sent = [minute for minute in range(60) if relay(NOON + timedelta(minutes=minute))]
    assert sent == minutes


def test_pauses_do_not_grow_beyond_a_day(sqs: Cloud) -> None:
    publish(Noted(7))
    database.execute("update core.outbox set attempts = 5000")
    now = clock.now()
    assert relay(now) == 1
    ((pause,),) = database.execute(
        "select extract(epoch from next_send_at - $1)::bigint from core.outbox", now
    )
    assert 60 * 60 < pause < 24 * 60 * 60


def test_who_has_recorded_an_event_is_not_sent_it_again(sqs: Cloud) -> None:
    publish(Happened(7))
    assert sqs.take(LEFT, sqs.queues[LEFT]) == []
    sqs.queues.clear()
    assert relay(clock.now() + timedelta(minutes=1)) == 1
    assert waiting(sqs) == {RIGHT: 1}


def test_the_sweep_sends_more_than_a_batch_and_no_event_twice(sqs: Cloud) -> None:
    for number in range(250):
        publish(Noted(number))
    clock.follow(clock.frozen(clock.now()))
    sent = many(4, lambda: sum(iter(lambda: db.write(outbox.relay), 0)), connections=4)
    assert sum(sent) == 250
    assert waiting(sqs) == {LEFT: 250}
    assert len(set(sqs.queues[LEFT])) == 250


def test_an_event_whose_subscription_has_gone_is_settled(sqs: Cloud) -> None:
    publish(Noted(7))
    database.execute("delete from core.subscriptions where topic = 'tests.noted'")
    assert relay() == 0
    assert undone() == 0


def test_what_was_done_is_forgotten_after_a_week_and_has_no_effect_again(sqs: Cloud) -> None:
    clock.follow(clock.frozen(NOON))
    publish(Happened(7))
    publish(Ignored(8))
    copies = {name: list(bodies) for name, bodies in sqs.queues.items()}
    sqs.deliver()
    publish(Noted(9))
    forget = jobs.registered["core_forget_events"]
    clock.follow(clock.frozen(NOON + timedelta(days=7)))
    assert jobs.run(forget, clock.now())["rows"] == 0
    clock.follow(clock.frozen(NOON + timedelta(days=7, hours=25)))
    assert jobs.run(forget, clock.now())["rows"] == 2
    assert database.execute("select topic from core.outbox") == [("tests.noted",)]
    assert database.execute("select * from core.deliveries") == []
    database.execute("delete from scratch.notes")
    for name, bodies in copies.items():
        assert sqs.take(name, bodies) == []
    assert kept() == []


def test_events_of_which_somebody_did_not_hear_are_never_forgotten(sqs: Cloud) -> None:
    publish(Happened(7))
    sqs.take(LEFT, sqs.queues[LEFT])
    clock.follow(clock.shifted(timedelta(days=400)))
    assert jobs.run(jobs.registered["core_forget_events"], clock.now())["rows"] == 0
    assert undone() == 1
    assert database.execute("select subscriber from core.deliveries") == [
        ("tests.hear_on_the_left",)
    ]


def subscriptions() -> set[tuple[str, str, str]]:
    found = database.execute(
        "select topic, subscriber, queue from core.subscriptions where topic like 'tests.%'"
    )
    return {(topic, subscriber, queue) for topic, subscriber, queue in found}


def test_subscriptions_are_what_the_program_says(sqs: Cloud) -> None:
    assert subscriptions() == {
        ("tests.happened", "tests.hear_on_the_left", LEFT),
        ("tests.happened", "tests.hear_on_the_right", RIGHT),
        ("tests.noted", "tests.hear_on_the_left", LEFT),
        ("tests.called", "tests.call", LEFT),
    }


def test_a_subscriber_may_change_its_queue_or_its_topic_or_go(sqs: Cloud) -> None:
    others = [one for one in outbox.subscribers() if not one.topic.startswith("tests.")]

    def sync(*ours: Subscriber) -> set[tuple[str, str, str]]:
        db.write(outbox.sync_subscriptions, [*others, *ours])
        return subscriptions()

    def hearing(topic: str, queue: str) -> Subscriber:
        return Subscriber("tests.hear", topic, queue, False, hear_on_the_left)

    for topic, queue in (
        ("tests.happened", LEFT),
        ("tests.happened", RIGHT),
        ("tests.noted", LEFT),
    ):
        assert sync(hearing(topic, queue)) == {(topic, "tests.hear", queue)}
    assert sync() == set()
    db.write(outbox.sync_subscriptions, [])
    assert database.execute("select * from core.subscriptions") == []


def test_two_subscribers_of_one_name_are_refused(app: Chalice) -> None:
    def build() -> Callable[[Connection, Happened], None]:
        def hear(unit: Connection, event: Happened) -> None:
            """Hear."""

        return hear

    def another() -> Callable[[Connection, Happened], None]:
        def hear(unit: Connection, event: Happened) -> None:
            """Hear something else."""

        return hear

    with subscribed():
        before = outbox.subscribers()
        outbox.subscribe(Happened, queue=LEFT)(build())
        outbox.subscribe(Happened, queue=LEFT)(build())
        assert len(outbox.subscribers()) == len(before) + 1
        with pytest.raises(ValueError, match="hear"):
            outbox.subscribe(Happened, queue=LEFT)(another())
