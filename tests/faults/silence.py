"""What the log and refusals say when every field and header holds somebody's secret: nothing of it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from http import HTTPStatus
from itertools import count
from typing import Any

from pydantic import ValidationError

from chalicelib.core import binding, limits, log
from chalicelib.core.driver import DatabaseError, Driver
from chalicelib.core.errors import FieldProblem
from tests.faults import interruptions
from tests.faults.described import scene as scenes
from tests.faults.described.scene import Call, Description, Scene
from tests.faults.proof import Findings, walk
from tests.faults.world import World, replaced
from tests.support import database

_numbers = count(1)
_HEADERS = (
    "User-Agent", "Referer", "Cookie", "Origin", "Accept-Language", "X-Forwarded-For", "X-Real-IP",
    "X-Request-Id", "X-Amzn-Trace-Id", "Forwarded", "From", "If-None-Match", "Stripe-Signature",
    "Idempotency-Key", "X-Api-Key",
)  # fmt: skip


def nothing_is_said(world: World, tries: int, findings: Findings) -> None:
    """So many operations, with a canary in each field in turn and in every header."""
    every = list(scenes.every().values())[:tries]
    for description in walk(every, findings, len(every), "operations"):
        world.empty()
        word = f"canary{next(_numbers):05}feather"
        start = world.log_path.stat().st_size
        _Asked(world, description, word, findings).all()
        world.cloud.mail_down = True
        world.cloud.deliver()
        world.cloud.mail_down = False
        world.cloud.deliver()
        logged = world.log_path.read_bytes()[start:].decode().lower()
        findings.hold(word not in logged, f"{description.operation}: the log says {word}")
        waiting = str([world.cloud.dead, world.cloud.queues])
        findings.hold(word not in waiting, f"{description.operation}: a message says {word}")
        findings.count("operations")


class _Asked:
    """An operation that is told a word wherever it takes one."""

    def __init__(
        self, world: World, description: Description, word: str, findings: Findings
    ) -> None:
        self._world, self._description = world, description
        self._word, self._findings = word, findings
        self._call = description.prepare(Scene(world))

    def all(self) -> None:
        """Ask in every way."""
        for call in self._told_in_parts():
            self._ask(call)
        for failure in (self._bug, self._refusal):
            self._ask(self._call, failure)
        self._ask(replace(self._call, headers=self._headers() | {"Authorization": self._word}))
        self._ask(replace(self._call, headers=self._headers()))

    def _ask(self, call: Call, failure: Callable[[Driver], None] | None = None) -> None:
        database.execute("delete from core.rate_limits")
        limits.forget()
        with interruptions.at_point(1, failure) if failure else nullcontext():
            answer = scenes.make(self._description, call, self._world)
        self._findings.count("calls")
        if answer.status >= HTTPStatus.BAD_REQUEST:
            said = f"{answer.text} {answer.headers}".lower()
            told = f"{self._description.operation}: a {answer.status} says {answer.text[:300]}"
            self._findings.hold(self._word not in said, told)
            self._findings.count("refusals")

    def _headers(self) -> dict[str, str]:
        return dict(self._call.headers) | dict.fromkeys(_HEADERS, f"{self._word}@kith.example")

    def _told_in_parts(self) -> Iterator[Call]:
        call = self._call
        for value in (self._word, f"{self._word}@kith.example", [self._word], {"a": self._word}):
            if isinstance(call.body, dict):
                for changed in _changed(call.body, value):
                    yield replace(call, body=changed)
                yield replace(call, body=call.body | {"surplus": value})
            if isinstance(value, str):
                for name in call.path:
                    yield replace(call, path={**call.path, name: value})
                for name in (*call.query, "surplus", "cursor"):
                    yield replace(call, query={**call.query, name: value})
        if call.body is not None:
            broken = json.dumps(call.body)[:-1] + f', "x": {self._word}'
            yield replace(call, body=None, raw=broken.encode())

    def _bug(self, _driver: Driver) -> None:
        raise RuntimeError(self._word)

    def _refusal(self, _driver: Driver) -> None:
        raise DatabaseError({"C": "23505", "M": self._word, "D": self._word, "n": "a_constraint"})


def _changed(body: dict[str, Any], value: Any) -> Iterator[dict[str, Any]]:
    """The body with each of its leaves in turn replaced."""
    for name, was in body.items():
        yield body | {name: value}
        if isinstance(was, dict):
            for inner in _changed(was, value):
                yield body | {name: inner}


@contextmanager
def messages_logged() -> Iterator[None]:
    """A failure is logged with its message."""
    frames = log.frames

    def told(error: BaseException) -> list[str]:
        return [*frames(error), str(error)]

    with replaced(log, "frames", told):
        yield


@contextmanager
def input_echoed() -> Iterator[None]:
    """A refusal says what it refuses."""
    problems: Callable[[str, ValidationError], tuple[FieldProblem, ...]] = binding._problems  # noqa: SLF001

    def echo(place: str, error: ValidationError) -> tuple[FieldProblem, ...]:
        given = [str(one["input"])[:200] for one in error.errors(include_url=False)]
        found = problems(place, error)
        return tuple(
            FieldProblem(one.field, one.code, f"{one.detail}, not {value}")
            for one, value in zip(found, given, strict=False)
        )

    with replaced(binding, "_problems", echo):
        yield
