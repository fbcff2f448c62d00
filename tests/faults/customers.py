"""People who use the program while its database comes and goes, and what they were promised.

Each does one thing after the other and asks again, under the same key, until they are told that it
was done. Now and then they ask once more after that, as somebody does whose answer got lost.
"""

import itertools
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from chalicelib.core import db
from tests.faults.world import World
from tests.support import crowd, database, people
from tests.support.api import Answer, Api
from tests.support.people import Person

_PAUSE_SECONDS = 0.02
_PATIENCE_SECONDS = 20.0
_AGAIN = 0.2  # how often somebody asks again for what was done
_CREDITS = 1_000


class Deed(NamedTuple):
    """One thing that somebody wants done once; `shows` is what only the right answer says."""

    kind: str
    name: tuple[str, ...]
    ask: Callable[[], Answer]
    status: int
    shows: str = ""


@dataclass
class Records:
    """What was asked of the program, and what it answered."""

    done: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    served: dict[int, list[float]] = field(default_factory=dict)
    answers: int = 0
    unavailable: int = 0
    unknown: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, who: int, deed: Deed, answer: Answer) -> bool:
        """Note an answer; whether it is that the deed is done."""
        done = answer.status == deed.status
        right = deed.shows in answer.text if done else _is_unavailable(answer)
        with self._lock:
            self.answers += 1
            if not right:
                self.wrong.append(f"{deed.kind} was answered {answer.status} {answer.text[:200]}")
            elif done:
                self.done.setdefault(deed.kind, set()).add(deed.name)
                self.served.setdefault(who, []).append(time.time())
            else:
                self.unavailable += 1
                self.unknown += "not known" in answer.text
        return done

    def first_served(self, since: float) -> float | None:
        """When anybody was first served after a moment, if somebody was."""
        with self._lock:
            times = [one for found in self.served.values() for one in found if one >= since]
        return min(times, default=None)

    def all_served(self, count: int, since: float) -> bool:
        """Whether so many people were each served after a moment."""
        with self._lock:
            return sum(found[-1] >= since for found in self.served.values()) == count


def _is_unavailable(answer: Answer) -> bool:
    retry = {name.lower(): value for name, value in answer.headers.items()}.get("retry-after", "")
    return answer.status == 503 and retry.isdecimal()


@dataclass
class Customers:
    """Eight people who write and two who read, each with a list of things to do that never ends."""

    world: World
    buyers: list[Person]
    posts: list[uuid.UUID]
    authors: list[uuid.UUID]
    staff: Person
    holders: list[Person]
    records: Records = field(default_factory=Records)

    @staticmethod
    def gather(world: World, size: int) -> "Customers":
        """People with credits, and posts to spend them on; the more of them the larger `size` is."""
        author = people.person(world.api)
        first = people.post_of(author, world.stripe, world.cloud)
        posts = crowd.posts_like(first, 6 + 2 * size)
        buyers = [people.person(world.api) for _ in range(4 + size)]
        for buyer in buyers:
            people.credit(buyer, _CREDITS)
        staff = people.person(world.api)
        people.give_role(staff, "finance", "marketplace")
        holders = [people.person(world.api) for _ in range(2)]
        authors = [_author(one) for one in posts]
        return Customers(world, buyers, posts, authors, staff, holders)

    @property
    def credits_given(self) -> int:
        """How many credits each buyer had at first."""
        return _CREDITS

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """All of them do what they do meanwhile; at the end each finishes what they are at."""
        stopping = threading.Event()
        lists = [*self._writing(), *(self._reading(one) for one in self.holders)]
        threads = [
            threading.Thread(target=self._live, args=(number, deeds, stopping))
            for number, deeds in enumerate(lists)
        ]
        for thread in threads:
            thread.start()
        try:
            self.wait_until_served(time.time())
            yield
        finally:
            stopping.set()
            for thread in threads:
                thread.join()

    def wait_until_served(self, since: float) -> None:
        """Wait until each was served after a moment, or for as long as anybody would."""
        count = 8 + len(self.holders)
        ends = time.monotonic() + _PATIENCE_SECONDS
        while not self.records.all_served(count, since) and time.monotonic() < ends:
            time.sleep(0.005)

    def _live(self, who: int, deeds: Iterator[Deed], stopping: threading.Event) -> None:
        try:
            for deed in deeds:
                self._do(who, deed)
                if stopping.is_set():
                    return
        except Exception as error:  # noqa: BLE001  a program that raises answers nobody
            self.records.wrong.append(f"somebody was answered by {error!r}")
        finally:
            db.close()

    def _do(self, who: int, deed: Deed) -> None:
        ends = time.monotonic() + _PATIENCE_SECONDS
        while not self.records.note(who, deed, deed.ask()):
            if time.monotonic() > ends:
                self.records.wrong.append(f"{deed.kind} {deed.name} was never done")
                return
            time.sleep(random.uniform(0, _PAUSE_SECONDS))
        if random.random() < _AGAIN:
            self.records.note(who, deed, deed.ask())

    def _writing(self) -> list[Iterator[Deed]]:
        half = len(self.buyers) // 2
        return [
            self._reveals(self.buyers[:half]),
            self._reveals(self.buyers[half:]),
            self._blocks(self.buyers[:half]),
            self._blocks(self.buyers[half:]),
            self._grants(self.holders[0]),
            self._grants(self.holders[1]),
            self._sign_ups("a"),
            self._sign_ups("b"),
        ]

    def _reveals(self, buyers: list[Person]) -> Iterator[Deed]:
        for buyer, (post, author) in itertools.cycle(
            itertools.product(buyers, zip(self.posts, self.authors, strict=True))
        ):
            path, key = f"/v1/marketplace/posts/{post}/reveal", str(uuid.uuid4())
            yield Deed(
                "reveals",
                (str(buyer.id), str(post)),
                partial(buyer.api.post, path, key=key),
                200,
                f"@{author}",
            )

    def _blocks(self, people_: list[Person]) -> Iterator[Deed]:
        targets = [one.id for one in self.holders] + [self.staff.id]
        targets += [one.id for one in self.buyers if one not in people_]
        for blocker, other in itertools.cycle(itertools.product(people_, targets)):
            path = f"/v1/moderation/blocks/{other}"
            yield Deed(
                "blocks",
                (str(blocker.id), str(other)),
                partial(blocker.api.put, path),
                204,
            )

    def _grants(self, holder: Person) -> Iterator[Deed]:
        body = {"user_id": str(holder.id), "amount": 1}
        for _ in itertools.count():
            key = str(uuid.uuid4())
            yield Deed(
                "grants",
                (str(holder.id), key),
                partial(self.staff.api.post, "/v1/admin/marketplace/credit_grants", body, key=key),
                201,
                '"amount"',
            )

    def _sign_ups(self, name: str) -> Iterator[Deed]:
        for number in itertools.count():
            body = {"email": f"newcomer.{name}{number}@kith.example", "password": people.PASSWORD}
            somewhere = Api(self.world.app, address=f"2001:db8::{name}:{number % 65_536:x}")
            yield Deed(
                "sign-ups",
                (body["email"],),
                partial(somewhere.post, "/v1/auth/sign_ups", body),
                202,
            )

    def _reading(self, reader: Person) -> Iterator[Deed]:
        for _ in itertools.count():
            yield Deed("reads", (), partial(reader.api.get, "/v1/me"), 200, reader.email)


def _author(post: uuid.UUID) -> uuid.UUID:
    ((author,),) = database.execute("select user_id from marketplace.posts where id = $1", post)
    found: uuid.UUID = author
    return found
