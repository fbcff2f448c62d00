"""One warm process that serves one person after the other, while requests of others break in it."""

import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any

from chalicelib.core import auth, db, http
from chalicelib.core.db import Connection
from chalicelib.core.driver import Driver, Group
from tests.faults import exchanges, interruptions
from tests.faults.attacks.bystanders import Bystanders
from tests.faults.attacks.naive import answers_are_kept_by_address
from tests.faults.described.scene import Scene
from tests.faults.proof import Findings, Planted, Proof
from tests.faults.world import World, replaced
from tests.support.api import Answer
from tests.support.people import Person

_BREAKS_EVERY = 3
_SQLSTATES = ("57014", "55P03", "53200", "25006", "22003", "XX000")
_PACK = {"product": "marketplace", "code": "contacts_10"}

Break = Callable[[int], AbstractContextManager[Any]]


class Stopped(BaseException):
    """The process is told to stop in the middle of a request."""


def _stop(_driver: Driver) -> None:
    raise Stopped


@contextmanager
def _broken_off(at: int) -> Iterator[None]:
    """The replies to one exchange are not read: something else went wrong meanwhile."""
    receive = Driver._receive  # noqa: SLF001  sent, and nothing read yet
    left = [at]

    def received(driver: Driver, calls: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            raise MemoryError
        return receive(driver, calls)

    with replaced(Driver, "_receive", received):
        yield


def _refused(at: int) -> AbstractContextManager[None]:
    """The server refuses something."""
    sqlstate = _SQLSTATES[at % len(_SQLSTATES)]

    def refuse(number: int, groups: list[Group]) -> list[Group]:
        return exchanges.failing(groups, sqlstate) if number == at else groups

    return exchanges.changed(refuse)


def _asking(at: int, happens: Callable[[Driver], None]) -> AbstractContextManager[Any]:
    """Something happens when the database is about to be asked."""
    return interruptions.at_point(2 * at - 1, happens)


BREAKS: dict[str, Break] = {
    "bugs": partial(_asking, happens=interruptions.fail),
    "lost connections": partial(_asking, happens=interruptions.lose),
    "stops": partial(_asking, happens=_stop),
    "readings broken off": _broken_off,
    "refusals by the server": _refused,
}


def run(world: World, tries: int, findings: Findings) -> None:
    """Let two people look at what is theirs in turns, and a third one's requests break in between."""
    scene, chance = Scene(world), random.Random(tries)
    onlookers, breaker, other = Bystanders(scene), scene.person(), scene.person()
    for title in onlookers.shared:
        findings.hold(False, f"{title}: two people are answered the same")
    calls = [(call, _exchanges_of(call)) for call in _calls(breaker, other)]
    for number in range(tries):
        if number % _BREAKS_EVERY == 0:
            name, (call, said) = chance.choice(sorted(BREAKS)), chance.choice(calls)
            answer = _broken(call, BREAKS[name](chance.randint(1, max(1, said))))
            findings.count(name)
            if answer is not None:
                seen = [mark for mark in onlookers.marks if mark in answer.text]
                findings.hold(not seen, f"{name}: somebody saw another's contact: {answer.text}")
        probe, wrong = onlookers.look()
        findings.count("looks")
        if wrong is not None:
            told = f"{wrong.status} {wrong.text[:200]}"
            findings.hold(False, f"{probe.title} of {probe.who.email}: {told}")
        findings.progress(number + 1, tries, "looks")


def _calls(who: Person, other: Person) -> Sequence[Callable[[], Answer]]:
    """What the third one asks for."""
    return (
        partial(who.api.get, "/v1/me"),
        partial(who.api.get, "/v1/billing/credits"),
        partial(who.api.patch, "/v1/me", {"name": "Cara"}),
        partial(who.api.put, f"/v1/moderation/blocks/{other.id}"),
        lambda: who.api.post("/v1/billing/checkouts", _PACK, key=str(uuid.uuid4())),
    )


def _exchanges_of(call: Callable[[], Answer]) -> int:
    """How often a request speaks with the database, so that what breaks it happens."""
    said: list[int] = []

    def note(number: int, groups: list[Group]) -> list[Group]:
        said.append(number)
        return groups

    with exchanges.changed(note):
        answer = call()
    assert answer.status < HTTPStatus.BAD_REQUEST, answer.text
    return len(said)


def _broken(call: Callable[[], Answer], how: AbstractContextManager[Any]) -> Answer | None:
    with ExitStack() as stack:
        stack.enter_context(how)
        try:
            return call()
        except Stopped:
            return None


@contextmanager
def broken_connections_kept() -> Iterator[None]:
    """A connection is neither given up nor looked at before it is used on, whatever lies unread."""
    with ExitStack() as stack:
        stack.callback(db.close)
        stack.enter_context(replaced(Driver, "abandon", lambda _driver: None))
        stack.enter_context(replaced(Driver, "alive", lambda _driver: True))
        yield


@contextmanager
def callers_left_behind() -> Iterator[None]:
    """Who is calling is kept in the process, and forgotten when the request has gone well."""
    read, succeed = auth.caller_of, http._succeed  # noqa: SLF001  the very code that is made naive
    left: list[Any] = []

    def caller_of(authorization: str | None) -> Any:
        if not left:
            left.append(read(authorization))
        return left[0]

    def forgetting(*given: Any) -> Any:
        answer = succeed(*given)
        left.clear()
        return answer

    with replaced(auth, "caller_of", caller_of), replaced(http, "_succeed", forgetting):
        yield


@contextmanager
def transactions_left_open() -> Iterator[None]:
    """What failed is not rolled back."""
    with replaced(Connection, "roll_back", lambda _unit: None):
        yield
    db.close()


PROOFS = (
    Proof(
        name="isolation.in_a_warm_process",
        promise=(
            "Whoever is served by a process in which somebody else's request just broke, in whatever"
            " way, gets their own data and nothing of anybody else's."
        ),
        run=run,
        full=10_000,
        short=500,
        planted=(
            Planted("broken connections are kept", broken_connections_kept, tries=150),
            Planted("callers are left behind", callers_left_behind, tries=150),
            Planted("answers are kept by address", answers_are_kept_by_address, tries=60),
            Planted("transactions are left open", transactions_left_open, tries=150),
        ),
    ),
)
