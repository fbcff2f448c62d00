"""Log lines: one JSON object each, and of an error its places only."""

import json
from pathlib import Path

import pytest

from chalicelib.core import log


def inner() -> None:
    raise LookupError("canary: inner")


def fails(*, aside: bool = False) -> None:
    try:
        inner()
    except LookupError as error:
        raise RuntimeError("canary: outer") from (None if aside else error)


def test_a_line_is_one_json_object_without_what_is_none(log_lines: Path) -> None:
    log.line("tested", number=1, word='a"b\nc', nothing=None, flag=False, many=["x"])
    (text,) = log_lines.read_text().splitlines()
    told = json.loads(text)
    assert told.pop("at").endswith("+00:00")
    assert told == {"event": "tested", "number": 1, "word": 'a"b\nc', "flag": False, "many": ["x"]}


def test_what_somebody_wrote_can_not_forge_a_line(log_lines: Path) -> None:
    log.line("tested", word='x"}\n{"event":"forged"}\u2028\r')
    assert len(log_lines.read_text().splitlines()) == 1
    assert log_lines.read_text().isascii()


def test_of_an_error_its_places_are_told_innermost_cause_first() -> None:
    with pytest.raises(RuntimeError) as raised:
        fails()
    told = log.frames(raised.value)
    outer = told.index("builtins.RuntimeError")
    assert told[0] == "builtins.LookupError"
    assert any(place.endswith(" inner") for place in told[:outer])
    assert "test_log.py:" in told[-1]
    assert told[-1].endswith(" fails")
    assert "canary" not in str(told)


def test_a_cause_that_was_put_aside_is_not_told() -> None:
    with pytest.raises(RuntimeError) as raised:
        fails(aside=True)
    assert "builtins.LookupError" not in log.frames(raised.value)
