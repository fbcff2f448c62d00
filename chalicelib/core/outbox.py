"""Events: recorded with the change they tell of, delivered once to each subscriber.

`publish` adds a row in the flush of COMMIT; if somebody waits for it, it is sent to the queues of
its subscribers right after. `relay` sends whatever is not yet recorded as delivered, so a lost
message costs a minute. `deliver` runs a subscriber and records that it ran, in one transaction.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from functools import partial
from typing import Any, ClassVar, TypeVar, get_type_hints
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chalicelib.core import aws, clock, ids
from chalicelib.core.config import config
from chalicelib.core.db import Connection
from chalicelib.core.statements import command, statement
from chalicelib.core.tables import deliveries, outbox, subscriptions

RESEND_AFTER = timedelta(minutes=1)
KEEP_DONE = timedelta(days=7)
_MOST_DOUBLINGS = 10  # 17 hours between the tries of a message that keeps failing
_BATCH = 100


@dataclass(frozen=True)
class Event:
    """Something that happened. Fields are ids; never tokens, addresses or bodies."""

    topic: ClassVar[str]
    urgent: ClassVar[bool] = False
    by_topic: ClassVar[dict[str, type["Event"]]] = {}

    def __init_subclass__(cls) -> None:
        """Know the class of a topic, to read messages by; TypeError for a topic that is taken."""
        known = Event.by_topic.setdefault(cls.topic, cls)
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"topic {cls.topic} belongs to {known.__qualname__}")
        Event.by_topic[cls.topic] = cls

    def payload(self) -> dict[str, str]:
        """The fields as JSON takes them."""
        return {name: str(value) for name, value in asdict(self).items()}


E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Message:
    """What stands in a queue: one event for the subscribers of one domain."""

    event_id: UUID
    topic: str
    payload: dict[str, str]

    @staticmethod
    def of(body: str) -> "Message":
        """Read a message's body."""
        told = json.loads(body)
        return Message(UUID(told["event_id"]), told["topic"], told["payload"])

    def text(self) -> str:
        """The message's body."""
        return json.dumps(
            {"event_id": str(self.event_id), "topic": self.topic, "payload": self.payload}
        )

    def event(self) -> Event:
        """The event, as its class."""
        kind = Event.by_topic[self.topic]
        hints = get_type_hints(kind)
        return kind(
            **{field.name: hints[field.name](self.payload[field.name]) for field in fields(kind)}
        )


_added = (
    insert(outbox)
    .values(
        id=bindparam("event_id", type_=Uuid),
        topic=bindparam("topic"),
        payload=bindparam("payload"),
        created_at=bindparam("now"),
        attempts=bindparam("attempts"),
        next_send_at=bindparam("next_send_at"),
        # An event that nobody hears is done as it is written.
        done_at=select(bindparam("now", type_=outbox.c.created_at.type))
        .where(~select(subscriptions).where(subscriptions.c.topic == bindparam("topic")).exists())
        .scalar_subquery(),
    )
    .returning(outbox.c.topic)
    .cte("added")
)
ADD = statement(
    select(subscriptions.c.queue)
    .distinct()
    .where(subscriptions.c.topic == select(_added.c.topic).scalar_subquery())
)


def publish(db: Connection, event: Event) -> None:
    """Record `event` with this transaction; send it after commit if it is urgent."""
    now = clock.now()
    message = Message(ids.uuid7(), event.topic, event.payload())

    def send(rows: list[tuple[str]]) -> None:
        if event.urgent:
            for (queue,) in rows:
                db.after_commit(partial(aws.send_message, url_of(queue), message.text()))

    db.later(
        ADD,
        send,
        event_id=message.event_id,
        topic=event.topic,
        payload=message.payload,
        now=now,
        attempts=1 if event.urgent else 0,
        next_send_at=now + RESEND_AFTER if event.urgent else now,
    )


def url_of(queue: str) -> str:
    """The URL of a queue of this deployment."""
    return f"{config().queue_url}{config().queue_prefix}{queue}"


@dataclass(frozen=True)
class Subscriber:
    """A function that hears of a topic. `calls`: it talks to a provider between transactions."""

    name: str
    topic: str
    queue: str
    calls: bool
    effect: Callable[[Any, Any], None]


_subscribers: dict[str, dict[str, Subscriber]] = {}
"""By topic and name."""
F = TypeVar("F", bound=Callable[[Any, Any], None])


def subscribe(
    kind: type[Event], *, queue: str | None = None, calls: bool = False
) -> Callable[[F], F]:
    """Have a function called once for each event of `kind`.

    It is called with a Connection, and its delivery is recorded in the same transaction. With
    `calls` it gets Transactions, is recorded afterwards, and must itself bear being repeated. The
    event comes by the queue of the function's domain unless another is named.
    """

    def decorate(effect: F) -> F:
        domain = effect.__module__.removeprefix("chalicelib.").split(".")[1]
        told = Subscriber(f"{domain}.{effect.__name__}", kind.topic, queue or domain, calls, effect)
        known = _subscribers.setdefault(kind.topic, {}).setdefault(told.name, told)
        if known.effect.__code__ is not effect.__code__:
            raise ValueError(f"two subscribers of {kind.topic} are called {told.name}")
        return effect

    return decorate


def subscribers() -> list[Subscriber]:
    """Everybody who hears of something: the rows of `core.subscriptions`."""
    return [one for topic in sorted(_subscribers) for one in _subscribers[topic].values()]


UNSUBSCRIBE = command(
    delete(subscriptions).where(
        subscriptions.c.topic + " " + subscriptions.c.subscriber
        != func.all(bindparam("known", type_=ARRAY(Text)))
    )
)
_subscription = insert(subscriptions)
SUBSCRIBE = command(
    _subscription.on_conflict_do_update(
        index_elements=[subscriptions.c.topic, subscriptions.c.subscriber],
        set_={"queue": _subscription.excluded.queue},
    )
)
RECORD = statement(
    insert(deliveries)
    .from_select(
        ["event_id", "subscriber", "delivered_at"],
        # Of an event that was forgotten everybody has heard: a letter that was dead for weeks.
        select(
            outbox.c.id,
            bindparam("subscriber", type_=Text),
            bindparam("now", type_=outbox.c.created_at.type),
        ).where(outbox.c.id == bindparam("event_id", type_=Uuid)),
    )
    .on_conflict_do_nothing()
    .returning(deliveries.c.event_id)
)
# Said aloud: two levels down SQLAlchemy would take another outbox for it, and all for heard.
_heard = (
    select(deliveries.c.subscriber).where(deliveries.c.event_id == outbox.c.id).correlate(outbox)
)
_still_to_hear = (
    select(literal(1))
    .where(subscriptions.c.topic == outbox.c.topic, subscriptions.c.subscriber.not_in(_heard))
    .exists()
)
FINISH = command(
    update(outbox)
    .where(
        outbox.c.id == bindparam("event_id", type_=Uuid),
        outbox.c.done_at.is_(None),
        ~_still_to_hear,
    )
    .values(done_at=bindparam("now"))
)


def sync_subscriptions(db: Connection, known: list[Subscriber]) -> None:
    """Make `core.subscriptions` say who hears of what: by each deployment, after migrating."""
    db.run(UNSUBSCRIBE, known=[f"{one.topic} {one.name}" for one in known])
    for one in known:
        db.run(SUBSCRIBE, topic=one.topic, subscriber=one.name, queue=one.queue)


def hearing(message: Message, queue: str) -> list[Subscriber]:
    """The subscribers on `queue` of the message's topic."""
    known = _subscribers.get(message.topic, {}).values()
    return [one for one in known if one.queue == queue]


def record(db: Connection, message: Message, subscriber: Subscriber) -> bool:
    """Record a delivery with this transaction; whether it is the first.

    A twin that delivers at the same moment waits on the row's key and then finds it taken.
    """
    now = clock.now()
    given = {"event_id": message.event_id, "subscriber": subscriber.name, "now": now}
    if db.one(RECORD, **given) is None:
        return False
    db.later(FINISH, event_id=message.event_id, now=now)
    return True


def deliver(db: Connection, message: Message, subscriber: Subscriber) -> None:
    """Run one subscriber, unless it ran before; however often and in parallel this is called."""
    if record(db, message, subscriber):
        subscriber.effect(db, message.event())


_due = (
    select(outbox.c.id)
    .where(
        outbox.c.done_at.is_(None),
        outbox.c.next_send_at <= bindparam("now", type_=outbox.c.created_at.type),
    )
    .order_by(outbox.c.id)
    .limit(_BATCH)
    .with_for_update(skip_locked=True)
    .cte("due")
)
DUE = statement(
    update(outbox)
    .where(outbox.c.id == _due.c.id)
    .values(
        attempts=outbox.c.attempts + 1,
        next_send_at=bindparam("now")
        + RESEND_AFTER * func.power(2, func.least(outbox.c.attempts, _MOST_DOUBLINGS)),
    )
    .returning(
        outbox.c.id,
        outbox.c.topic,
        outbox.c.payload,
        select(
            func.array_agg(
                subscriptions.c.queue.distinct(), type_=ARRAY(subscriptions.c.queue.type)
            )
        )
        .where(subscriptions.c.topic == outbox.c.topic, subscriptions.c.subscriber.not_in(_heard))
        .scalar_subquery(),
    )
)
# A subscription may be gone since the event was written; then nobody is left to hear it.
SETTLE = command(
    update(outbox)
    .where(outbox.c.done_at.is_(None), ~_still_to_hear)
    .values(done_at=bindparam("now"))
)
_FORGOTTEN = bindparam("forgotten", type_=ARRAY(Uuid))
# In the order of their end: most often none is as old, and the index says so at once.
FORGET = statement(
    delete(outbox)
    .where(
        outbox.c.id
        == func.any(
            func.array(
                select(outbox.c.id)
                .where(outbox.c.done_at < bindparam("before"))
                .order_by(outbox.c.done_at)
                .limit(1000)
                .scalar_subquery()
            )
        )
    )
    .returning(outbox.c.id)
)
# An event that is done was recorded by all who hear it, so nothing is added meanwhile.
FORGET_DELIVERIES = command(delete(deliveries).where(deliveries.c.event_id == func.any(_FORGOTTEN)))


def relay(db: Connection) -> int:
    """Send a batch of what was never sent, or is not recorded as delivered when it should be."""
    now = clock.now()
    db.run(SETTLE, now=now)
    due = db.all(DUE, now=now)
    for event_id, topic, payload, queues in due:
        text = Message(event_id, topic, payload).text()
        for queue in queues or ():
            db.after_commit(partial(aws.send_message, url_of(queue), text))
    return len(due)


def forget(db: Connection) -> int:
    """Drop a batch of what was done a week ago, and its deliveries."""
    forgotten = [event_id for (event_id,) in db.all(FORGET, before=clock.now() - KEEP_DONE)]
    db.run(FORGET_DELIVERIES, forgotten=forgotten)
    return len(forgotten)
