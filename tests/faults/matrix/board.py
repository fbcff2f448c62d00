"""The matrix of calls that must come to nothing: each is made, and what came of it is looked at."""

import json
import random
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from chalicelib.core import db, limits, operations, outbox
from chalicelib.core.operations import Operation
from tests.faults.described import scene as scenes
from tests.faults.described.scene import Call, Description, Scene
from tests.faults.matrix import canaries
from tests.faults.matrix.cast import Caller, Cast
from tests.faults.proof import Findings
from tests.faults.world import World
from tests.support import database
from tests.support.api import Answer
from tests.support.people import Person
from tests.support.state import fingerprints

Judge = Callable[[Answer, str], str | None]
"""What is wrong with the answer to a variant of a call, or None."""

SEED = 20
NOT_FOUND = 404
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def drawn(some: Iterable[Description], tries: int, *first: str) -> list[Description]:
    """So many descriptions, in an order that is always the same; those named `first` lead."""
    every = sorted(some, key=lambda one: one.operation)
    random.Random(SEED).shuffle(every)
    every.sort(key=lambda one: first.index(one.operation) if one.operation in first else len(first))
    return every[:tries]


def answered(status: int, code: str) -> Judge:
    """An answer must be this refusal."""

    def judge(answer: Answer, _variant: str) -> str | None:
        code_of = answer.json.get("code") if answer.text else None
        if (answer.status, code_of) == (status, code):
            return None
        return f"answered {answer.status} {code_of}, not {status} {code}"

    return judge


def plain(answer: Answer) -> tuple[int, str, dict[str, str]]:
    """An answer without what names the request: two that are alike look alike to whoever gets them."""
    text = answer.text
    if text and "request_id" in text:
        text = json.dumps(json.loads(text) | {"request_id": ""})
    return answer.status, text, answer.headers | {"Request-Id": ""}


def ids_of(operation: Operation) -> list[str]:
    """The parameters of the path that are ids."""
    return [name for name, kind in operation.path_parameters.items() if kind is UUID]


def with_ids(description: Description, call: Call, identifier: str) -> Call:
    """The call with another id wherever it names one of somebody's things."""
    names = ids_of(description.registered)
    changed = replace(
        call,
        path=dict(call.path) | dict.fromkeys(names, identifier),
        key=str(uuid.uuid4()),
    )
    if not names and isinstance(call.body, dict) and "subject_id" in call.body:
        changed = replace(changed, body=call.body | {"subject_id": identifier})
    return changed


@dataclass
class Board:
    """The world, the cast and what was found; `needs` are those of the cast who call."""

    world: World
    findings: Findings
    needs: Sequence[str]
    cells: int = 0
    scene: Scene = field(init=False)
    cast: Cast = field(init=False)
    known: frozenset[str] = field(init=False)
    seen: frozenset[str] = frozenset()
    owners: set[UUID] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Have the cast come to be."""
        self.scene = Scene(self.world)
        self.cast = Cast(self.scene)
        for name in self.needs:
            getattr(self.cast, name)
        # What follows from their coming to be has happened before anybody calls.
        db.write(outbox.relay)
        self.world.cloud.deliver()
        self.known = canaries.stored(canaries.rows())
        missing = operations.registered.keys() - scenes.every().keys()
        self.findings.hold(not missing, f"nobody said whom these are for: {sorted(missing)}")

    def round(self, description: Description, scene: Scene | None = None) -> "Round":
        """A call that would succeed, made ready; its owner and the cast have met."""
        call = description.prepare(scene or self.scene)
        owner = call.owner or call.by
        if owner is not None:
            self.owners.add(owner.id)
            if "blocked" in self.needs:
                block(owner.id, self.cast.blocked.id)
            if "blocker" in self.needs:
                block(self.cast.blocker.id, owner.id)
        canaries.adorn(self.cast.ids)
        foreign = (canaries.stored(canaries.rows()) | canaries.SEALED) - self.known
        fresh, self.seen = foreign - self.seen, foreign
        return Round(self, description, call, owner, foreign, fresh)

    def rounds(self, some: Sequence[Description]) -> Iterator["Round"]:
        """A round for each, with progress told."""
        for number, description in enumerate(some, 1):
            yield self.round(description)
            self.findings.progress(number, len(some), f"operations, {self.cells:,} cells")

    def end(self) -> None:
        """Count the cells."""
        self.findings.count("cells", self.cells)


def block(blocker: UUID | None, blocked: UUID | None) -> None:
    """Have one person block another, who may be banned by now."""
    database.execute(
        "insert into moderation.blocks (blocker_id, blocked_id, created_at)"
        " values ($1, $2, '2026-11-20T00:00:00Z') on conflict do nothing",
        blocker,
        blocked,
    )


@dataclass
class Round:
    """One operation's turn."""

    board: Board
    description: Description
    call: Call
    owner: Person | None
    foreign: frozenset[str]
    fresh: frozenset[str]

    @property
    def operation(self) -> Operation:
        """The operation."""
        return self.description.registered

    def title(self, caller: Caller, variant: str) -> str:
        """A cell's name."""
        return f"{self.operation.name} by {caller.title}, {variant}"

    def ask(self, caller: Caller, call: Call | None = None) -> Answer:
        """Make the call as somebody else."""
        if self.operation.rates:
            forget_rates()
        return scenes.make(self.description, call or self.call, self.board.world, by=caller.api)

    def ids(self, most: int) -> list[tuple[str, Call]]:
        """The call with ids of other things of the owner's in place of the right one."""
        found = sorted(one for one in self.fresh if _UUID.fullmatch(one))
        random.Random(SEED).shuffle(found)
        return [
            (f"with the id {one} of something else", with_ids(self.description, self.call, one))
            for one in found[:most]
        ]

    def nothing(self, caller: Caller) -> Answer:
        """What the caller is answered about an id of nothing there is."""
        return self.ask(caller, with_ids(self.description, self.call, str(uuid.uuid4())))

    def hold(
        self,
        caller: Caller,
        variants: Iterable[tuple[str, Call]],
        judge: Judge,
        *,
        may_know: frozenset[str] = frozenset(),
    ) -> None:
        """Each of these calls is answered as `judge` wants, and tells nothing."""
        for variant, call in variants:
            answer = self.ask(caller, call)
            self.board.cells += 1
            wrong = judge(answer, variant) or self.told(answer, call, may_know)
            self.board.findings.hold(not wrong, f"{self.title(caller, variant)}: {wrong}")

    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        """No row changes meanwhile, whoever calls."""
        before, cells = fingerprints(), self.board.cells
        yield
        after = fingerprints()
        changed = [name for name in before if before[name] != after[name]]
        among = self.board.cells - cells
        self.board.findings.hold(
            not changed, f"{self.operation.name}: {', '.join(changed)} changed by one of {among}"
        )

    def told(
        self, answer: Answer, call: Call, may_know: frozenset[str] = frozenset()
    ) -> str | None:
        """What of others' an answer holds, besides what the request itself told."""
        if answer.status >= 500:
            return f"answered {answer.status}"
        asked = canaries.telling(
            scenes.address_of(self.description, call), *map(str, (call.body, call.headers))
        )
        found = canaries.telling(answer.text, *answer.headers.values())
        leaked = (found & self.foreign) - asked - may_know
        return f"tells {sorted(leaked)[:3]}" if leaked else None

    def control(self) -> None:
        """The rightful caller's call does succeed: that it was refused to others says something."""
        if self.operation.rates:
            forget_rates()
        answer = scenes.make(self.description, self.call, self.board.world)
        self.board.findings.hold(
            answer.status == self.operation.status,
            f"{self.operation.name}: the rightful caller is answered {answer.status} {answer.text}",
        )
        self.board.findings.count("rightful calls")


def nothing_like(nothing: Answer) -> Judge:
    """An answer must be 404, byte for byte what is said about what does not exist."""

    def judge(answer: Answer, _variant: str) -> str | None:
        if answer.status != NOT_FOUND:
            return f"answered {answer.status}, not {NOT_FOUND}"
        return None if plain(answer) == plain(nothing) else "told apart from what does not exist"

    return judge


def forget_rates() -> None:
    """How often somebody calls is not what is tried here."""
    database.execute("delete from core.rate_limits")
    limits.forget()
