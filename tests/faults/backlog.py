"""Messages that wait in all queues at once, and copies of the database to deliver them to.

They come from every operation that there is: each is called once, and what it sends is held back.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from chalicelib.core import clock, db, outbox
from chalicelib.core.config import config
from local import postgres
from tests.faults import likeness, world
from tests.faults.described import scene
from tests.faults.described.scene import Scene
from tests.faults.likeness import State
from tests.faults.world import World
from tests.support import database
from tests.support.cloud import Cloud
from tests.support.races import at_once

BATCH = 10
RECEIVES = 5
POISON = ("", "{", "[]", "null")
"""What no worker can read."""

Letter = tuple[str, str]
"""A queue and a message's body."""


@dataclass(frozen=True)
class Backlog:
    """What waits, and the database as it was then."""

    url: str
    at: datetime
    letters: tuple[Letter, ...]
    known: frozenset[str]


@dataclass
class BacklogWorld(World):
    """A world with a past; `model` is what comes of it when all goes well."""

    backlog: Backlog
    model: "Outcome"


@contextmanager
def backlog_world() -> Iterator[BacklogWorld]:
    """The usual world, after everything happened in it once and before anybody heard."""
    with world.world("kith_deliveries") as here:
        backlog = _gathered(here)
        yield BacklogWorld(**vars(here), backlog=backlog, model=in_order(here, backlog))


def _gathered(here: World) -> Backlog:
    letters: list[Letter] = []
    for description in scene.every().values():
        if description.registered.kind == "read":
            continue
        call = description.prepare(Scene(here))
        answer = scene.make(description, call, here)
        if answer.status != description.registered.status:
            raise RuntimeError(f"{description.operation} answered {answer.text}")
        letters += taken(here.cloud)
    at, url = clock.now() + timedelta(seconds=1), config().database_url
    known = likeness.known_ids()
    # The world is emptied before each run; what happened is kept beside it.
    db.close()
    kept = f"{_name(url)}_past"
    postgres.create_database(here.server, kept, template=_name(url))
    return Backlog(database.url_of(here.server, kept), at, tuple(letters), known)


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def taken(cloud: Cloud) -> list[Letter]:
    """Everything that lies in queues, which are empty then."""
    letters = [(queue, body) for queue, bodies in cloud.queues.items() for body in bodies]
    cloud.queues.clear()
    return letters


@contextmanager
def again(here: World, backlog: Backlog) -> Iterator[None]:
    """Be in a copy of the database in which nobody has heard of anything, at that moment."""
    present, copy = config().database_url, f"{_name(backlog.url)}_again"
    db.close()
    postgres.create_database(here.server, copy, template=_name(backlog.url))
    database.use(database.url_of(here.server, copy))
    clock.follow(clock.frozen(backlog.at))
    here.cloud.__dict__ |= Cloud(here.app).__dict__
    try:
        yield
    finally:
        clock.follow(clock.real_time)
        database.use(present)
        postgres.drop_database(here.server, copy)


@dataclass
class Outcome:
    """What deliveries led to; `wrong` is what workers returned and should not have, or kept."""

    state: State
    mails: Counter[tuple[str, str]]
    delivered: int = 0
    batches: int = 0
    poison: int = 0
    wrong: list[str] = field(default_factory=list)


def in_order(here: World, backlog: Backlog) -> Outcome:
    """Every message once, by itself, in the order in which it was sent."""
    with again(here, backlog):
        waiting, found = list(backlog.letters), Outcome({}, Counter())
        while waiting := waiting or _sent(here.cloud):
            queue, body = waiting.pop(0)
            if here.cloud.take(queue, [body]):
                raise RuntimeError(f"{queue} does not take {body}")
            found.delivered += 1
            waiting += taken(here.cloud)
        return _seen(here, backlog, found)


def shuffled(here: World, backlog: Backlog, seed: int, *, workers: int = 1) -> Outcome:
    """Every message one to five times, in any order, in batches, with what nobody can read.

    With several workers each batch goes to two of them at the same moment; then one may find the
    other in its way and return what it was given.
    """
    chance = random.Random(seed)
    with again(here, backlog):
        found, received = Outcome({}, Counter()), Counter[Letter]()
        spoilt = {
            (queue, body) for queue in here.cloud.queue_sizes("kith-", "-dead") for body in POISON
        }
        waiting, returned = list(backlog.letters), sorted(spoilt)
        while waiting or returned:
            every = [one for one in waiting for _ in range(chance.randint(1, 5))] + returned
            returned = []
            batches = list(_batches(every, chance))
            for (queue, bodies), failed in zip(
                batches, _taken_by(here, batches, workers), strict=True
            ):
                wanted = [body for body in bodies if (queue, body) in spoilt]
                if sorted(failed) != sorted(wanted) and workers == 1:
                    found.wrong.append(f"{queue} returned {failed} instead of {wanted}")
                received.update((queue, body) for body in failed)
                returned += [(queue, body) for body in failed if received[queue, body] < RECEIVES]
                found.delivered += len(bodies)
                found.poison += len(wanted)
            found.batches += len(batches)
            waiting = taken(here.cloud) or _sent(here.cloud)
        lost = [one for one in spoilt if received[one] < RECEIVES]
        found.wrong += [f"{queue} kept what it can't read: {body!r}" for queue, body in lost]
        return _seen(here, backlog, found)


def _taken_by(here: World, batches: list[tuple[str, list[str]]], workers: int) -> list[list[str]]:
    """What of each batch was returned."""
    if workers == 1:
        return [here.cloud.take(queue, bodies) for queue, bodies in batches]
    works = [partial(here.cloud.take, *one) for one in batches for _ in range(2)]
    both = at_once(works, connections=workers)
    return [[*one, *other] for one, other in zip(both[::2], both[1::2], strict=True)]


def _batches(letters: list[Letter], chance: random.Random) -> Iterator[tuple[str, list[str]]]:
    by_queue: dict[str, list[str]] = {}
    for queue, body in letters:
        by_queue.setdefault(queue, []).append(body)
    batches = [
        (queue, bodies[at : at + BATCH])
        for queue, bodies in by_queue.items()
        for at in range(0, len(bodies), BATCH)
    ]
    chance.shuffle(batches)
    yield from batches


def _sent(cloud: Cloud) -> list[Letter]:
    """What waits for the sweep, swept."""
    while db.write(outbox.relay):
        pass
    return taken(cloud)


def _seen(here: World, backlog: Backlog, found: Outcome) -> Outcome:
    found.state = likeness.state(backlog.known)
    found.mails = Counter((mail.recipient, mail.subject) for mail in here.cloud.mails)
    return found
