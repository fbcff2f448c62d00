"""What a proof is: a promise, tries that could break it, and planted faults that have to."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeVar

from tests.faults.world import World

T = TypeVar("T")

_TOLD_AT_MOST = 20
_TELL_EVERY_SECONDS = 5.0


@dataclass
class Findings:
    """What a run of a proof tried, and what it found broken.

    `tell` is told how far the run is, at most every few seconds.
    """

    tell: Callable[[str], None] = lambda _line: None
    tried: dict[str, int] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    _told_at: float = field(default_factory=time.monotonic)

    def count(self, what: str, number: int = 1) -> None:
        """So many more tries of a kind; a plural: "reveals", "schedules"."""
        self.tried[what] = self.tried.get(what, 0) + number

    def measure(self, what: str, figure: str) -> None:
        """A figure with its unit: `measure("slowest answer", "0.4 s")`."""
        self.figures[what] = figure

    def hold(self, holds: object, otherwise: str) -> bool:
        """Note `otherwise` as broken unless `holds`; whether it does."""
        if not holds:
            self.broken.append(otherwise)
        return bool(holds)

    def progress(self, done: int, of: int, what: str = "") -> None:
        """Tell how far it is, if that was not told a moment ago."""
        now = time.monotonic()
        if now - self._told_at >= _TELL_EVERY_SECONDS or done == of:
            self._told_at = now
            self.tell(f"{done:,} of {of:,} {what}".rstrip())

    @property
    def worst(self) -> list[str]:
        """The first of what is broken."""
        return self.broken[:_TOLD_AT_MOST]


@dataclass(frozen=True)
class Planted:
    """A fault that somebody could make: while `plant()` is entered, the proof must find it.

    `tries` is how often to try then; the proof's short number unless said.
    """

    name: str
    plant: Callable[[], AbstractContextManager[object]]
    tries: int | None = None


@dataclass(frozen=True)
class Proof:
    """A promise and how it is tried.

    `run` makes as many tries as it is told in a world that is empty, and notes its findings.
    `full` and `short` are the numbers for `make proof` and for CI. The promise is a sentence;
    it stands in docs/guarantees.md with the figures of the last full run.
    """

    name: str
    promise: str
    run: Callable[[World, int, Findings], None]
    full: int
    short: int
    planted: tuple[Planted, ...]


def walk(things: Iterable[T], findings: Findings, of: int, what: str = "") -> Iterator[T]:
    """The same things, with progress told along the way."""
    for number, thing in enumerate(things, 1):
        yield thing
        findings.progress(number, of, what)


def say(line: str) -> None:
    """A line to whoever started us."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
