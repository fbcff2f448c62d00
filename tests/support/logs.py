"""The log lines of a test, read back."""

import json
from pathlib import Path
from typing import Any


def lines(path: Path, event: str) -> list[dict[str, Any]]:
    """The lines of one kind, oldest first."""
    every = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in every if line["event"] == event]


def last_request(path: Path) -> dict[str, Any]:
    """The line of the newest request."""
    return lines(path, "request")[-1]
