"""A program in which something happens, and subscribers on two queues who hear of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from chalice.app import Blueprint

from chalicelib import registry
from chalicelib.core import db, outbox, queues
from chalicelib.core.config import config
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.outbox import Event, Message, Subscriber
from chalicelib.core.queues import worker
from tests.support import database
from tests.support.notes import add

LEFT, RIGHT = "tests_left", "tests_right"


@dataclass(frozen=True)
class Happened(Event):
    """Somebody waits for it; heard on both queues."""

    topic = "tests.happened"
    urgent = True
    number: int


@dataclass(frozen=True)
class Noted(Event):
    """Nobody waits for it; heard on the left queue."""

    topic = "tests.noted"
    number: int


@dataclass(frozen=True)
class Ignored(Event):
    """Nobody hears it."""

    topic = "tests.ignored"
    urgent = True
    number: int


@dataclass(frozen=True)
class Called(Event):
    """Heard by one who talks to a provider."""

    topic = "tests.called"
    urgent = True
    number: int


EVENTS: tuple[type[Event], ...] = (Happened, Noted, Ignored, Called)
for _kind in EVENTS:
    # They are part of the program while a test of them runs, and no longer.
    del Event.by_topic[_kind.topic]


class Disturbances:
    """What keeps subscribers from their work: tests put it there."""

    def __init__(self) -> None:
        self.on_the_left: Callable[[int], None] = lambda _number: None
        self.on_the_right: Callable[[int], None] = lambda _number: None
        self.at_the_provider: Callable[[int], None] = lambda _number: None


def hear_on_the_left(unit: Connection, event: Happened | Noted) -> None:
    """Keep a note."""
    add(unit, event.number)
    disturbances.on_the_left(event.number)


def hear_on_the_right(unit: Connection, event: Happened) -> None:
    """Keep another note."""
    add(unit, event.number + 1000)
    disturbances.on_the_right(event.number)


def call(transactions: Transactions, event: Called) -> None:
    """Ask a provider."""
    disturbances.at_the_provider(event.number)


disturbances = Disturbances()
SUBSCRIBERS = (
    Subscriber("tests.hear_on_the_left", Happened.topic, LEFT, False, hear_on_the_left),
    Subscriber("tests.hear_on_the_left", Noted.topic, LEFT, False, hear_on_the_left),
    Subscriber("tests.hear_on_the_right", Happened.topic, RIGHT, False, hear_on_the_right),
    Subscriber("tests.call", Called.topic, LEFT, True, call),
)


def define(blueprint: Blueprint) -> None:
    """The workers of both queues."""

    @worker(blueprint, LEFT)
    def left(message: Message) -> None:
        """Take what comes on the left."""
        queues.hand_out(message, LEFT)

    @worker(blueprint, RIGHT)
    def right(message: Message) -> None:
        """Take what comes on the right."""
        queues.hand_out(message, RIGHT)


@contextmanager
def changed(topic: str, name: str, **how: Any) -> Iterator[None]:
    """One of them is another meanwhile."""
    known = outbox._subscribers[topic]  # noqa: SLF001
    before = known[name]
    known[name] = replace(before, **how)
    try:
        yield
    finally:
        known[name] = before


@contextmanager
def subscribed() -> Iterator[None]:
    """Our events and subscribers are known to the program and to the database."""
    known = registry.subscribers(config())
    for kind in EVENTS:
        Event.by_topic[kind.topic] = kind
    for one in SUBSCRIBERS:
        outbox._subscribers.setdefault(one.topic, {})[one.name] = one  # noqa: SLF001
    db.write(outbox.sync_subscriptions, outbox.subscribers())
    try:
        yield
    finally:
        for kind in EVENTS:
            del Event.by_topic[kind.topic]
            outbox._subscribers.pop(kind.topic, None)  # noqa: SLF001
        disturbances.__dict__ |= Disturbances().__dict__
        db.write(outbox.sync_subscriptions, known)


def undone() -> int:
    """How many events not everybody has heard."""
    return int(database.execute("select count(*) from core.outbox where done_at is null")[0][0])


def publish(event: Event) -> None:
    """Publish in a transaction of its own."""
    db.write(outbox.publish, event)
