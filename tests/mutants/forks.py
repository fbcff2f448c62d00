"""A few forks at once, each heard until it ends, or ended when nothing is heard of it."""

import json
import os
import selectors
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from tests.mutants.trial import Ground, Place, Trial, fork

T = TypeVar("T")

_LISTEN_SECONDS = 1.0


@dataclass(frozen=True)
class Work(Generic[T]):
    """A trial, what it is about, and how long it may be silent."""

    trial: Trial
    about: T
    silence: float
    again: bool = False


@dataclass
class Ended(Generic[T]):
    """A trial that ended, with all that was told on the way."""

    work: Work[T]
    told: list[dict[str, Any]]
    silent: bool
    seconds: float
    printed: str


@dataclass
class _Running(Generic[T]):
    work: Work[T]
    process: int
    pipe: int
    slot: int
    started: float = field(default_factory=time.monotonic)
    heard_at: float = field(default_factory=time.monotonic)
    rest: bytes = b""
    told: list[dict[str, Any]] = field(default_factory=list)
    is_over: bool = False

    def hear(self) -> None:
        data = os.read(self.pipe, 65536)
        self.heard_at = time.monotonic()
        self.is_over = not data
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.told += map(json.loads, lines)

    @property
    def silent(self) -> bool:
        return time.monotonic() - self.heard_at > self.work.silence

    def end(self) -> None:
        """Nothing of it is left: it leads a group of its own."""
        os.close(self.pipe)
        # It may not have come so far as to lead one.
        for kill in (os.killpg, os.kill):
            with suppress(ProcessLookupError):
                kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


@dataclass
class Forks(Generic[T]):
    """So many slots, each with a folder of its own."""

    ground: Ground
    root: Path
    folder: Path
    at_once: int

    def run(self, works: Iterator[Work[T]]) -> Iterator[Ended[T]]:
        """Each trial as it ends. One that falls silent is run once more, with twice the patience.

        The next work is asked for when there is room for it.
        """
        again: deque[Work[T]] = deque()
        slots = list(range(self.at_once))
        running: dict[int, _Running[T]] = {}
        try:
            while True:
                while slots and (work := again.popleft() if again else next(works, None)):
                    one = self._start(work, slots.pop())
                    running[one.pipe] = one
                if not running:
                    return
                for one in self._heard(running):
                    del running[one.pipe]
                    slots.append(one.slot)
                    silent = not one.is_over
                    one.end()
                    if silent and not one.work.again:
                        again.append(
                            Work(one.work.trial, one.work.about, one.work.silence * 2, True)
                        )
                    else:
                        yield self._ended(one, silent=silent)
        finally:
            for one in running.values():
                one.end()

    def _heard(self, running: dict[int, _Running[T]]) -> list[_Running[T]]:
        """Listen for a moment; those that ended or fell silent."""
        with selectors.DefaultSelector() as selector:
            for pipe in running:
                selector.register(pipe, selectors.EVENT_READ)
            for key, _ in selector.select(_LISTEN_SECONDS):
                running[key.fd].hear()
        return [one for one in running.values() if one.is_over or one.silent]

    def _start(self, work: Work[T], slot: int) -> _Running[T]:
        folder = self._folder(slot)
        folder.mkdir(exist_ok=True)
        process, pipe = fork(work.trial, Place(self.ground, slot, self.root, folder))
        return _Running(work, process, pipe, slot)

    def _ended(self, one: _Running[T], *, silent: bool) -> Ended[T]:
        log = self._folder(one.slot) / "log"
        printed = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        seconds = time.monotonic() - one.started
        return Ended(one.work, one.told, silent, seconds, printed)

    def _folder(self, slot: int) -> Path:
        return self.folder / str(slot)
