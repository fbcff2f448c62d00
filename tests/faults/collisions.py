"""Transactions that the server refuses for another's sake, and replies that get lost on the way."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from chalicelib import registry
from chalicelib.core import clock, db
from chalicelib.core.config import config
from chalicelib.core.db import ATTEMPTS, Connection
from chalicelib.core.driver import COMMIT, Driver, Group
from chalicelib.core.idempotency import ABANDONED_AFTER
from tests.faults import exchanges, interruptions
from tests.faults.described import scene
from tests.faults.described.scene import Call, Description, Scene
from tests.faults.effects import Effect, effect, picture
from tests.faults.proof import Findings, Planted, Proof, walk
from tests.faults.restarts import lost_connection_raised
from tests.faults.sampling import writing
from tests.faults.trials import begin_anew
from tests.faults.waits import is_refusal
from tests.faults.world import World, replaced
from tests.support import database
from tests.support.api import Answer
from tests.support.proxy import Proxy

Left = tuple[Effect, dict[str, int]]
"""What a call left behind: its effect, and how many rows more or less each table has."""

_SQLSTATES = ("40001", "40P01")  # serialization failure, deadlock
_LOSSES = (Proxy.lose_reply_to, Proxy.lose_request)
_NOTHING: Left = ({}, {})


@cache
def _counting() -> str:
    names = [f"{table.schema}.{table.name}" for table in registry.tables().sorted_tables]
    # Refused tries are counted, too.
    counted = [name for name in names if name != "core.rate_limits"]
    return " union all ".join(f"select '{name}', count(*) from {name}" for name in counted)


class Try:
    """A call of an operation in a world in which nothing else is, and what it leaves behind."""

    def __init__(self, world: World, description: Description) -> None:
        begin_anew(world)
        self.world, self.description = world, description
        self.call: Call = description.prepare(Scene(world))
        self._seen, self._counted = picture(world), _rows()

    def make(self, meanwhile: AbstractContextManager[Any] | None = None) -> Answer:
        """Make the call, perhaps not for the first time."""
        with meanwhile or nullcontext():
            return scene.make(self.description, self.call, self.world)

    def left(self) -> Left:
        """What all calls so far left behind."""
        more = _rows()
        more.subtract(self._counted)
        counted = {name: number for name, number in more.items() if number}
        return effect(self._seen, picture(self.world)), counted

    def right(self, answer: Answer) -> bool:
        """Whether an answer is the operation's own."""
        return answer.status == self.description.registered.status


def _rows() -> Counter[str]:
    return Counter({str(name): int(number) for name, number in database.execute(_counting())})


def _undisturbed(world: World, description: Description, findings: Findings) -> tuple[Left, int]:
    """What an operation leaves behind, and how often it speaks with the database."""
    said: list[int] = []

    def note(number: int, groups: list[Group]) -> list[Group]:
        said.append(number)
        return groups

    one = Try(world, description)
    answer = one.make(exchanges.changed(note))
    findings.hold(one.right(answer), f"{description.operation}: {answer.status} {answer.text}")
    return one.left(), len(said)


def collide(world: World, tries: int, findings: Findings) -> None:
    """Have the server refuse each thing that so many operations say, once, and then more often."""
    every = writing(tries)
    for description in walk(every, findings, len(every), "operations"):
        wanted, said = _undisturbed(world, description, findings)
        for number in range(1, said + 1):
            sqlstate = _SQLSTATES[number % 2]
            one = Try(world, description)
            answer = one.make(exchanges.changed(partial(_once, number, sqlstate)))
            left = one.left()
            where = f"{description.operation}, {sqlstate} at exchange {number}"
            findings.hold(one.right(answer), f"{where}: {answer.status} {answer.text[:200]}")
            findings.hold(left == wanted, f"{where}: {left} instead of {wanted}")
            findings.count("refusals by the server")
        if description.registered.kind == "write":
            _contend(world, description, wanted, findings)


def _once(at: int, sqlstate: str, number: int, groups: list[Group]) -> list[Group]:
    return exchanges.failing(groups, sqlstate) if number == at else groups


def _contend(world: World, description: Description, wanted: Left, findings: Findings) -> None:
    """As many collisions in a row as are borne, and one more."""
    for number, name in ((ATTEMPTS - 1, "borne"), (ATTEMPTS, "too many")):
        one, left_over = Try(world, description), [number]

        def spoil(
            _number: int, groups: list[Group], left_over: list[int] = left_over
        ) -> list[Group]:
            if COMMIT not in groups[-1] or not left_over[0]:
                return groups
            left_over[0] -= 1
            return exchanges.failing(groups, _SQLSTATES[0])

        answer = one.make(exchanges.changed(spoil))
        left = one.left()
        where = f"{description.operation}, {number} collisions"
        if left_over[0] == number:
            continue  # it changed nothing, so that there was nothing to commit
        if name == "borne":
            findings.hold(one.right(answer), f"{where}: {answer.status} {answer.text[:200]}")
            findings.hold(left == wanted, f"{where}: {left} instead of {wanted}")
        else:
            findings.hold(is_refusal(answer), f"{where}: {answer.status} {answer.text[:200]}")
            findings.hold(left == _NOTHING, f"{where}: {left}")
        findings.count("collisions in a row", number)


def lose(world: World, tries: int, findings: Findings) -> None:
    """Lose what so many operations say, or the reply to it; each thing they say in turn."""
    direct, every = config().database_url, writing(tries)
    parts = urlsplit(direct)
    with Proxy((parts.hostname or "", parts.port or 5432)) as proxy:
        database.use(proxy.url(direct))
        for at, description in enumerate(walk(every, findings, len(every), "operations")):
            wanted, said = _undisturbed(world, description, findings)
            for number in range(1, said + 1):
                how = _LOSSES[(at + number) % 2]
                where = f"{description.operation}, {how.__name__} {number}"
                one = Try(world, description)
                losing = partial(_say_nothing, partial(how, proxy, b""))
                answer = one.make(interruptions.at_point(2 * number - 1, losing))
                findings.count("losses")
                findings.hold(
                    one.right(answer) or is_refusal(answer),
                    f"{where}: {answer.status} {answer.text[:200]}",
                )
                if not one.right(answer):
                    findings.count("outcomes unknown")
                    if description.registered.moves:
                        _find_out(one, where, findings)
                    elif one.left() == _NOTHING or description.registered.kind == "call":
                        continue
                left = one.left()
                findings.hold(left == wanted, f"{where}: {left} instead of {wanted}")
        database.use(direct)


def _find_out(one: Try, where: str, findings: Findings) -> None:
    """Ask under the key of an attempt what became of it; then it is done."""
    answer = one.make()
    if answer.status == HTTPStatus.CONFLICT:
        clock.follow(clock.shifted(ABANDONED_AFTER))
        answer = one.make()
        clock.follow(clock.real_time)
    findings.hold(one.right(answer), f"{where}, again: {answer.status} {answer.text[:200]}")
    findings.count("outcomes found out by key")


def _say_nothing(happens: Callable[[], None], _driver: Driver) -> None:
    happens()


@contextmanager
def committing_never() -> Iterator[None]:
    """Work is done again though COMMIT was sent."""
    owner: Any = Connection
    owner.committing = property(lambda _: False, lambda _, __: None)
    try:
        yield
    finally:
        del owner.committing


PROOFS = (
    Proof(
        name="collisions.done_again",
        promise=(
            "When transactions collide nobody notices: what the database refuses for another's sake"
            " is done again as a whole, and only what still can't be had is refused for the moment."
        ),
        run=collide,
        full=200,
        short=6,
        planted=(
            Planted(
                "nothing is done again", partial(replaced, db, "RETRIED", frozenset()), tries=1
            ),
            Planted("done again but once", partial(replaced, db, "ATTEMPTS", 2), tries=3),
        ),
    ),
    Proof(
        name="collisions.lost_replies",
        promise=(
            "A connection that breaks between question and answer leaves nothing half done: people"
            " are served all the same, or told that it is not known and find out by asking again."
        ),
        run=lose,
        full=200,
        short=6,
        planted=(
            Planted("work is done again though COMMIT was sent", committing_never, tries=3),
            Planted("a lost connection is a 500", lost_connection_raised, tries=1),
        ),
    ),
)
