"""Noticing that code has changed, and whether it can be read at all."""

import threading
from collections.abc import Iterator
from pathlib import Path

import watchfiles
from watchfiles import Change

from local.paths import REPOSITORY

WATCHED = [REPOSITORY / "app.py", REPOSITORY / "chalicelib", REPOSITORY / "local"]
_SUFFIXES = {".py", ".txt"}
_DEBOUNCE_MS = 200
_STEP_MS = 50
_CHECK_MS = 500


def changes(stopping: threading.Event) -> Iterator[list[Path]]:
    """The files of each change, as it comes, until `stopping` is set."""
    for batch in watchfiles.watch(
        *WATCHED,
        watch_filter=_is_code,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        rust_timeout=_CHECK_MS,
        stop_event=stopping,
    ):
        yield sorted({Path(path) for _, path in batch})


def syntax_error(files: list[Path]) -> str | None:
    """What is wrong with the first file that isn't Python; None when all can be read."""
    for file in files:
        if file.suffix != ".py" or not file.exists():
            continue
        try:
            compile(file.read_text(encoding="utf-8"), str(file), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            place = f"{file.relative_to(REPOSITORY)}:{getattr(error, 'lineno', 1)}"
            return f"{place}: {getattr(error, 'msg', error)}"
    return None


def _is_code(_change: Change, path: str) -> bool:
    return Path(path).suffix in _SUFFIXES
