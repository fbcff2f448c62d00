"""A cursor is a place in a list, and no key to it: whose list it is says the caller."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chalicelib.core import paging
from chalicelib.core.paging import PagedStatement
from tests.faults.described import scene as scenes
from tests.faults.described.scene import Call, Description, Scene
from tests.faults.matrix import canaries
from tests.faults.matrix.board import Board, Round, drawn
from tests.faults.matrix.cast import ELSEWHERE, Caller
from tests.faults.matrix.roles import NOT_ALLOWED
from tests.faults.proof import Findings
from tests.faults.world import World, replaced
from tests.support.api import Answer
from tests.support.people import Person

FIRST = ("notifications_inbox_inbox", "billing_ledger_transfers")


@dataclass
class Second(Scene):
    """The same scene once more about the same person, so that their list holds two."""

    who: Person = None  # type: ignore[assignment]
    at: int = 0
    number: int = 0

    def person(self, *, verified: bool = True) -> Person:
        """Somebody new, but for the one it is about."""
        self.number += 1
        return self.who if self.number == self.at else super().person(verified=verified)

    def staff(self, role: str, product: str = "all") -> Person:
        """Staff, who may be the one it is about already."""
        self.number += 1
        if self.number == self.at:
            return self.who
        self.number -= 1
        return super().staff(role, product)


@dataclass
class Counted(Scene):
    """A scene that remembers who came when."""

    came: list[Person] = field(default_factory=list)

    def person(self, *, verified: bool = True) -> Person:
        """Somebody new."""
        self.came.append(super().person(verified=verified))
        return self.came[-1]


@dataclass
class Cursors:
    """Cursors of the rightful caller of each list, by operation."""

    given: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)


def run(world: World, tries: int, findings: Findings) -> None:
    """Every list, by others, with the cursors of its rightful caller and of every other list."""
    board = Board(world, findings, ("other", "blocked", "blocker", "admin", "staff"))
    cursors = Cursors()
    turns = [
        _two_in(board, one, cursors)
        for one in drawn(filter(_is_list, scenes.every().values()), tries, *FIRST)
    ]
    findings.measure("lists with a cursor that was given out", str(len(cursors.given)))
    for number, one in enumerate(turns, 1):
        foreign = (canaries.stored(canaries.rows()) | canaries.SEALED) - board.known
        turn = replace(one, foreign=foreign)
        with turn.nothing_changes():
            if turn.operation.access.roles:
                _of_staff(turn, cursors)
            else:
                _of_oneself(turn, cursors)
        turn.control()
        findings.progress(number, len(turns), f"lists, {board.cells:,} cells")
    board.end()


def _is_list(one: Description) -> bool:
    named = getattr(one.registered.query, "model_fields", {})
    return one.registered.access.signed_in and "cursor" in named


def _of_oneself(one: Round, cursors: Cursors) -> None:
    for name in ("other", "blocked", "blocker", "admin"):
        caller: Caller = getattr(one.board.cast, name)
        seen = set() if name in {"other", "admin"} else one.board.owners
        named = frozenset(map(str, one.board.owners)) if name == "blocker" else frozenset()
        may_know = canaries.public(seen) | named
        judge = _missing if one.description.reach == "owner" else _listed_or_refused
        one.hold(caller, _with_cursors(one.call, cursors), judge, may_know=may_know)


def _of_staff(one: Round, cursors: Cursors) -> None:
    roles = one.operation.access.roles
    for (role, product), caller in one.board.cast.staff.items():
        if role not in roles or (product != "all" and one.operation.access.product is None):
            one.hold(caller, _with_cursors(one.call, cursors), NOT_ALLOWED)
        elif product == ELSEWHERE and "product" in one.call.path:
            path = dict(one.call.path) | {"product": ELSEWHERE}
            call = replace(one.call, path=path)
            one.hold(caller, _with_cursors(call, cursors), _listed_or_refused)


def _with_cursors(call: Call, cursors: Cursors) -> Iterator[tuple[str, Call]]:
    for how, some in (("given", cursors.given), ("made", cursors.made)):
        for name, cursor in some.items():
            filters = {key: value for key, value in call.query.items() if key != "limit"}
            for query in [filters, {}] if filters else [{}]:
                yield (
                    f"with the cursor {how} for {name}",
                    replace(call, query=query | {"cursor": cursor}),
                )


def _listed_or_refused(answer: Answer, _variant: str) -> str | None:
    if answer.status < 300:
        return None
    if answer.status == 400:
        named = {problem["field"] for problem in answer.json["errors"]}
        return None if named == {"query.cursor"} else f"refused for {sorted(named)}"
    return None if answer.status == 404 else f"answered {answer.status}"


def _missing(answer: Answer, _variant: str) -> str | None:
    return None if answer.status in {400, 404} else f"answered {answer.status}"


def _two_in(board: Board, description: Description, cursors: Cursors) -> Round:
    """A list with two things in it where that is possible, and the cursor between them."""
    counted = Counted(board.world)
    first = board.round(description, counted)
    rightful = first.call.by
    assert rightful is not None
    places = [at for at, who in enumerate(counted.came, 1) if who.id == rightful.id]
    # Where only one such thing can be, the cursor is made, not given.
    with suppress(AssertionError):
        description.prepare(Second(board.world, who=rightful, at=places[0]))
    seen: list[tuple[PagedStatement, Any]] = []
    with _listening(seen):
        for query in (dict(first.call.query), {}):
            call = replace(first.call, query=query | {"limit": 1})
            answer = scenes.make(description, call, board.world)
            if answer.status == 200 and answer.json["next_cursor"]:
                cursors.given.setdefault(description.operation, answer.json["next_cursor"])
                _hold_more(board, description, call, answer)
    if seen:
        paged, query = seen[0]
        cursors.made[description.operation] = _from_the_start(paged, query)
    return first


def _hold_more(board: Board, description: Description, call: Call, answer: Answer) -> None:
    """The cursor does lead its rightful caller on."""
    cursor = answer.json["next_cursor"]
    more = replace(call, query=dict(call.query) | {"cursor": cursor})
    found = scenes.make(description, more, board.world)
    led = found.status == 200 and found.json["items"]
    board.findings.hold(led, f"{description.operation}: its own cursor leads nowhere")


@contextmanager
def _listening(seen: list[tuple[PagedStatement, Any]]) -> Iterator[None]:
    """Which statement serves a list, and for what query."""
    really = paging.page

    def page(db: Any, paged: PagedStatement, query: Any, **given: Any) -> Any:
        seen.append((paged, query))
        return really(db, paged, query, **given)

    with replaced(paging, "page", page):
        yield


def _from_the_start(paged: PagedStatement, query: Any) -> str:
    """A cursor in the list's own form, at a place before everything."""
    after = paged.after(query.model_copy(update={"cursor": None}))
    values = [value for name, value in after.items() if name != "filters"]
    told = [after["filters"], *(_as_json(value) for value in values)]
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


def _as_json(value: Any) -> Any:
    if isinstance(value, int):
        return value
    return value.isoformat() if isinstance(value, datetime) else str(value)
