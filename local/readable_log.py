"""The app's log for a person: its JSON lines go to a file as they are, and to the terminal in colour.

What nobody wants to read (jobs that found nothing to do, slots already done) is in the file alone.
"""

import io
import json
import os
import sys
import threading
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO, cast

from chalicelib.core import log, operations

RECENT = 40
_LOG_BYTES_KEPT = 20_000_000

_RED, _GREEN, _YELLOW, _CYAN, _DIM = "31", "32", "33", "36", "2"
_SERVER_ERROR, _CLIENT_ERROR = 500, 400
_SLOW_MS = 300

# What a line says beside what is shown in its columns.
_SHOWN = {"at", "event", "operation", "method", "path", "status", "ms", "round_trips", "error",
          "request_id", "message_id", "worker", "job", "topic", "rows", "state", "ok", "code"}  # fmt: skip


class ReadableLog(io.TextIOBase):
    """A stream for `log.line`: keeps the raw lines in a file, shows them on the terminal.

    While `is_quiet` nothing is shown.
    """

    def __init__(self, path: Path, terminal: TextIO) -> None:
        super().__init__()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > _LOG_BYTES_KEPT:
            path.replace(path.with_suffix(f"{path.suffix}.old"))
        self._file = path.open("a", encoding="utf-8")
        self._terminal = terminal
        self._colours = terminal.isatty() and "NO_COLOR" not in os.environ
        self._lock = threading.Lock()
        self.recent: deque[str] = deque(maxlen=RECENT)
        self.is_quiet = False

    def write(self, text: str) -> int:
        """Take whole lines."""
        with self._lock:
            self._file.write(text)
            self._file.flush()
            for line in text.splitlines():
                entry = json.loads(line)
                if not self.is_quiet and _is_worth_reading(entry):
                    self.recent.append(render(entry, colours=False))
                    self._terminal.write(f"{render(entry, colours=self._colours)}\n")
            self._terminal.flush()
        return len(text)

    def close(self) -> None:
        """Close the file; the terminal is somebody else's."""
        self._file.close()
        super().close()


def use(path: Path) -> ReadableLog:
    """Have the app's lines go to the file at `path` and, readable, to standard output."""
    stream = ReadableLog(path, sys.stdout)
    log.stream = cast("TextIO", stream)
    return stream


def render(entry: dict[str, Any], *, colours: bool) -> str:
    """A line of the log for a person: local time, what, outcome, milliseconds, round trips."""

    def paint(text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if colours and text else text

    at = datetime.fromisoformat(entry["at"]).astimezone().strftime("%H:%M:%S")
    outcome, colour = _outcome(entry)
    figures = []
    if "ms" in entry:
        figures.append(f"{entry['ms']:.0f} ms" if entry["ms"] >= 10 else f"{entry['ms']:.1f} ms")  # noqa: PLR2004
    if "round_trips" in entry:
        trips = entry["round_trips"]
        figures.append(f"{trips} trip{'' if trips == 1 else 's'}")
    slow = entry.get("ms", 0) > _SLOW_MS
    others = [f"{name}={value}" for name, value in entry.items() if name not in _SHOWN]
    line = [
        paint(at, _DIM),
        paint(f"{outcome:<7}", colour),
        f"{_what(entry):<44}",
        paint(" · ".join(figures), _YELLOW if slow else _DIM),
        paint(" ".join(filter(None, [entry.get("code"), *others])), _DIM),
    ]
    text = "  ".join(part for part in line if part).rstrip()
    frames = entry.get("error") or []
    return "\n".join([text, *(paint(f"          {frame}", _RED) for frame in frames)])


def _is_worth_reading(entry: dict[str, Any]) -> bool:
    idle = entry.get("state") == "skipped" or (entry.get("state") == "done" and not entry["rows"])
    return not (entry["event"] == "job" and idle)


def _outcome(entry: dict[str, Any]) -> tuple[str, str]:
    """How it went, in a word, and its colour."""
    if "status" in entry:
        status = entry["status"]
        bad = _YELLOW if status < _SERVER_ERROR else _RED
        return str(status), bad if status >= _CLIENT_ERROR else _GREEN
    if "state" in entry:
        return entry["state"], _GREEN if entry["state"] == "done" else _RED
    if "ok" in entry:
        return ("ok", _GREEN) if entry["ok"] else ("failed", _RED)
    return ("failed", _RED) if "error" in entry else ("", _DIM)


def _what(entry: dict[str, Any]) -> str:
    """What it was about."""
    if entry["event"] == "request" and "operation" in entry:
        operation = operations.registered.get(entry["operation"])
        return f"{operation.method} {operation.path}" if operation else entry["operation"]
    if entry["event"] == "request":
        return f"{entry.get('method', '')} {entry.get('path', '')}"
    if entry["event"] == "job":
        return f"job {entry['job']}, {entry.get('rows', 0)} rows"
    if entry["event"] == "message":
        return f"message {entry.get('topic') or '?'} → {entry['worker']}"
    return str(entry["event"])
