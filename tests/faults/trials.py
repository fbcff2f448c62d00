"""An operation that moves something, tried in one way: its call, and what that leaves behind."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from chalicelib.core import idempotency, jobs
from tests.faults.described import scene as scenes
from tests.faults.described.scene import Call, Description, Scene
from tests.faults.effects import Effect, effect, picture
from tests.faults.proof import Findings
from tests.faults.world import World
from tests.support.api import Answer, Api
from tests.support.people import Person
from tests.support.times import Times


@dataclass
class Trial:
    """An operation in one case. `one` is the effect it has if nothing goes wrong."""

    world: World
    description: Description
    one: Effect
    findings: Findings
    case: str
    call: Call = field(init=False)
    times: Times = field(init=False)

    def __post_init__(self) -> None:
        """Prepare a call."""
        self.call = self.prepared()
        self.times = Times(self.world.stripe)

    def prepared(self) -> Call:
        """Another call, of other people."""
        return self.description.prepare(Scene(self.world))

    def anew(self) -> "Trial":
        """The same once more, with a call of other people."""
        return replace(self)

    @property
    def caller(self) -> Person:
        """Whoever makes the call; nobody moves anything without being signed in."""
        assert self.call.by
        return self.call.by

    def make(self, *, client: Api | None = None, **changes: Any) -> Answer:
        """Make the call, or one like it."""
        return scenes.make(self.description, replace(self.call, **changes), self.world, by=client)

    def hold(self, holds: object, otherwise: str) -> None:
        """Note what is wrong."""
        self.findings.hold(holds, f"{self.description.operation}, {self.case}: {otherwise}")

    def succeeded(self, answer: Answer) -> Answer:
        """Hold that an answer is the operation's own."""
        wanted = self.description.registered.status
        self.hold(answer.status == wanted, f"answered {_told(answer)}")
        return answer

    def refused(self, answer: Answer, status: int, *codes: str) -> None:
        """Hold that an answer is one of these refusals."""
        self.hold(answer.status == status and answer.code in codes, f"answered {_told(answer)}")

    def is_repeated(self, first: Answer, again: Answer) -> None:
        """Hold that an answer is the first one's."""
        same = (again.status, again.text) == (first.status, first.text)
        self.hold(same, f"answered {_told(first)}, then {_told(again)}")

    @contextmanager
    def has(self, wanted: Effect) -> Iterator[None]:
        """Hold that what happens within leaves this behind."""
        before = picture(self.world)
        yield
        found = effect(before, picture(self.world))
        names = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
        self.hold(not names, f"had {found} instead of {wanted}")

    def has_one_effect(self) -> AbstractContextManager[None]:
        """Hold that what happens within has the operation's effect, once."""
        return self.has(self.one)

    def has_no_effect(self) -> AbstractContextManager[None]:
        """Hold that what happens within has none."""
        return self.has({})

    def pass_by(self, span: timedelta) -> None:
        """Let time go by, and have done what is to be done by the clock."""
        self.times.pass_by(span)
        for job in jobs.registered:
            if job.startswith(("core_forget_attempts", "billing_")):
                self.times.run(job)

    def take_up(self) -> Answer:
        """Repeat the attempt as clients do, until it is no longer under way."""
        answer = self.make()
        if answer.status == HTTPStatus.CONFLICT:
            self.times.pass_by(idempotency.ABANDONED_AFTER + timedelta(seconds=1))
            answer = self.make()
        return self.succeeded(answer)


def begin_anew(world: World) -> None:
    """Forget all that happened, at Stripe as well."""
    world.empty()
    world.stripe.fake.reset()
    world.stripe.fake.set_delivery_mode("drop")


def _told(answer: Answer) -> str:
    return f"{answer.status} {answer.text[:300]}"
