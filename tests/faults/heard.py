"""Every statement that the program says, and by whom it is said: operations, workers, jobs."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from pydantic import TypeAdapter

from chalicelib.core import clock, jobs
from chalicelib.core.driver import Driver, Group, Reply
from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import Statement
from tests.faults.described import scene
from tests.faults.described.scene import Call, Description, Scene
from tests.faults.world import World, replaced
from tests.support import database

_WORDS = ("select", "insert", "update", "delete", "with")
_PAGE = {"limit", "cursor"}
_MOST_KEPT = 3


@dataclass
class Heard:
    """What was said so far: each text, by whom, and some of the values it was said with."""

    by: dict[str, set[str]] = field(default_factory=dict)
    values: dict[str, list[list[Any]]] = field(default_factory=dict)

    @contextmanager
    def of(self, speaker: str) -> Iterator[None]:
        """What is said within is said by somebody."""
        exchange = Driver.exchange

        def listen(driver: Driver, groups: Sequence[Group]) -> list[list[Reply]]:
            for group in groups:
                for call in group:
                    self._note(speaker, call.sql.decode(), list(call.values))
            return exchange(driver, groups)

        with replaced(Driver, "exchange", listen):
            yield

    def _note(self, speaker: str, sql: str, values: list[Any]) -> None:
        if sql.lstrip().lower().startswith(_WORDS):
            self.by.setdefault(sql, set()).add(speaker)
            said = self.values.setdefault(sql, [])
            if len(said) < _MOST_KEPT:
                said.append(values)


def everything(here: World, tell: Callable[[int, int], None]) -> Heard:
    """Listen while every operation is called, its workers work, lists are filtered and jobs run."""
    heard = Heard()
    descriptions = scene.every()
    for number, (name, description) in enumerate(descriptions.items(), 1):
        call = description.prepare(Scene(here))
        with heard.of(name):
            answer = scene.make(description, call, here)
        assert answer.status == description.registered.status, (name, answer.text)
        with heard.of(f"workers of {name}"):
            here.cloud.deliver()
        with heard.of(name):
            _filtered(description, call, here)
        tell(number, len(descriptions))
    # Those that described calls made lead nowhere.
    database.without_triggers("delete from billing.payment_gateways")
    for name, job in jobs.registered.items():
        with heard.of(name):
            ended = jobs.run(job, clock.now(), by_hand=True)
        assert ended["state"] == "done", ended
        with heard.of(f"workers of {name}"):
            here.cloud.deliver()
    return heard


def _filtered(description: Description, call: Call, here: World) -> None:
    """Ask again for a list, by each of its filters and sorts alone, and by all at once."""
    query = description.registered.query
    if query is None:
        return
    told = TypeAdapter(query).json_schema()
    asked = [
        {name: value}
        for name, kind in told["properties"].items()
        if name not in _PAGE
        for value in _examples(kind)
    ]
    together = {name: value for one in asked for name, value in one.items()}
    for one in [*asked, together]:
        path = scene.address_of(description, call).partition("?")[0]
        client = call.by.api if call.by else scene.somewhere(here)
        answer = client.get(f"{path}?{urlencode({**call.query, **one}, doseq=True)}")
        assert answer.status < 500, (path, one, answer.text)


def _examples(kind: dict[str, Any]) -> list[Any]:
    """What may be asked for: all there is of a kind with few, or an example."""
    kinds = kind.get("anyOf", [kind])
    return [value for one in kinds for value in _of_one(one | {"examples": kind.get("examples")})]


def _of_one(kind: dict[str, Any]) -> list[Any]:
    if "enum" in kind:
        return list(kind["enum"])
    if kind.get("type") == "boolean":
        return ["true", "false"]
    if kind.get("type") == "null":
        return []
    if kind.get("type") == "array":
        return [[one] for one in _of_one(kind["items"])]
    if kind.get("format") == "uuid":
        return [str(uuid4())]
    examples = kind.get("examples") or [kind.get("const", kind.get("minimum", "street"))]
    return [examples[0]]


def written() -> dict[str, str]:
    """Every statement of the program that is loaded: its text, and what it is called."""
    # What was loaded at the start is set aside, where nobody looks.
    gc.unfreeze()
    things = gc.get_objects()
    names = {
        id(value): f"{module.__name__.removeprefix('chalicelib.')}.{name}"
        for module in things
        if type(module).__name__ == "module" and module.__name__.startswith("chalicelib.")
        for name, value in vars(module).items()
    }
    names |= {id(one.statement): names.get(id(one), "") for one in things if _is_paged(one)}
    return {one.sql: names.get(id(one), "") for one in things if isinstance(one, Statement)}


def _is_paged(thing: object) -> bool:
    return type(thing) is PagedStatement
