"""Triggers: a transaction for another service's event, which is also the answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chalice.app import Blueprint, Chalice

from chalicelib.core.db import Connection
from chalicelib.core.triggers import trigger
from tests.support import logs
from tests.support.api import Context
from tests.support.notes import add, kept
from tests.support.program import program_of

pytestmark = pytest.mark.usefixtures("scratch")


def define(blueprint: Blueprint) -> None:
    """A trigger that keeps a note."""

    @trigger(blueprint, "tests_trigger")
    def keep(unit: Connection, event: dict[str, Any]) -> None:
        """Keep the number of an event."""
        add(unit, event["number"])
        if event.get("fails"):
            raise RuntimeError("canary@kith.example")


@pytest.fixture(scope="module")
def program(migrated: str) -> Iterator[Chalice]:
    """An app with it."""
    with program_of(define) as built:
        yield built


def test_the_event_is_the_answer_and_its_effect_stands(program: Chalice, log_lines: Path) -> None:
    event = {"number": 7, "response": {"autoConfirmUser": False}}
    assert program.handler_map["tests_trigger"](event, Context()) == event
    assert kept() == [7]
    (line,) = logs.lines(log_lines, "trigger")
    assert (line["trigger"], line["ok"]) == ("tests_trigger", True)


def test_what_fails_is_raised_to_the_service_and_undone(program: Chalice, log_lines: Path) -> None:
    with pytest.raises(RuntimeError):
        program.handler_map["tests_trigger"]({"number": 7, "fails": True}, Context())
    assert kept() == []
    assert logs.lines(log_lines, "trigger")[0]["ok"] is False
    assert "canary" not in log_lines.read_text()
