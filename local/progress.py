"""One line for each step of work, with its seconds: `PostgreSQL .......... ready in 0.4 s`.

On a terminal the last line moves while steps are under way; in a log a line comes every ten
seconds, so that long work never looks hung. Steps may run side by side in threads. Standard
library only: the installer uses this before anything is installed.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_NAME_WIDTH = 26
_REDRAW_SECONDS = 0.2
_LOG_SECONDS = 10.0


class Step:
    """A piece of work under way. `detail` is shown while it lasts, `outcome` when it is done."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.detail = ""
        self.outcome = "ready"
        self.started = time.monotonic()
        self.last_shown = self.started

    @property
    def seconds(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self.started


_lock = threading.RLock()
_active: list[Step] = []


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Show `name` while the block runs, then its outcome and seconds; an exception passes on."""
    current = Step(name)
    with _lock:
        _active.append(current)
        if len(_active) == 1:
            threading.Thread(target=_keep_showing, daemon=True).start()
    outcome = "failed after"
    try:
        yield current
        outcome = f"{current.outcome} in"
    finally:
        with _lock:
            _active.remove(current)
            say(f"{_dotted(name)} {outcome} {current.seconds:.1f} s")


def say(text: str) -> None:
    """Print a line of its own, without tearing the moving last line."""
    with _lock:
        print(f"\r\x1b[K{text}" if sys.stdout.isatty() else text, flush=True)


def _keep_showing() -> None:
    """Show the steps under way until there are none."""
    while True:
        time.sleep(_REDRAW_SECONDS)
        with _lock:
            if not _active:
                return
            if sys.stdout.isatty():
                _redraw()
            else:
                _report_long_ones()


def _redraw() -> None:
    texts = [f"{each.name} {each.detail}".strip() for each in _active]
    line = f"{' | '.join(texts)} ... {_active[0].seconds:.0f} s"
    width = shutil.get_terminal_size().columns
    sys.stdout.write(f"\r\x1b[K{line[: width - 1]}")
    sys.stdout.flush()


def _report_long_ones() -> None:
    for each in _active:
        if time.monotonic() - each.last_shown >= _LOG_SECONDS:
            each.last_shown = time.monotonic()
            say(f"{_dotted(each.name)} {each.detail} {each.seconds:.0f} s so far")


def _dotted(name: str) -> str:
    return f"{name} ".ljust(_NAME_WIDTH, ".")
