"""The hunt: every mutant tried by the tests that cover its file, until the time is over."""

import importlib
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.mutants.forks import Ended, Forks, Work
from tests.mutants.mutant import Mutant
from tests.mutants.trial import Trial

Fate = Literal["killed", "survived", "hangs", "does not start"]

SILENCE_SECONDS = 60.0
_TIMES_SLOWEST = 10
_NEAR, _OFTEN = 8, 8
_LAST_WORDS = 60


class Unfit(Exception):
    """The tests can't tell a mutant from the program: they fail without one, or never load it."""


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant, and by which test."""

    mutant: Mutant
    fate: Fate
    by: str
    seconds: float


@dataclass
class Hunt:
    """Trials of mutants; `tests` says for each file by which, `heard` is told of each outcome."""

    tests: dict[str, tuple[str, ...]]
    forks: Forks[Any]
    heard: Callable[[Outcome], None] = lambda _outcome: None
    silence: float = SILENCE_SECONDS
    outcomes: list[Outcome] = field(default_factory=list)
    _seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    _near: dict[tuple[str, str], deque[str]] = field(default_factory=dict)
    _often: dict[str, Counter[str]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Run the tests without a mutant: they pass, load what is mutated, and take so long."""
        paths = sorted({path for some in self.tests.values() for path in some})
        works = (Work(Trial((path,)), path, self.silence * 5) for path in paths)
        loaded: dict[str, set[str]] = {}
        for ended in self.forks.run(works):
            path = ended.work.about
            self._seconds[path], loaded[path] = _without_mutant(ended)
        for file, some in self.tests.items():
            module = file.removesuffix(".py").replace("/", ".")
            if not any(module in loaded[path] for path in some):
                raise Unfit(f"the tests of {file} never load it")
        _load_libraries(set().union(*loaded.values()))

    def try_all(self, mutants: list[Mutant], until: float) -> None:
        """Try mutants in their order, while there is time."""

        def works() -> Iterator[Work[Mutant]]:
            for mutant in mutants:
                if time.monotonic() >= until:
                    return
                yield self._work(mutant)

        for ended in self.forks.run(works()):
            outcome = _outcome(ended)
            self._remember(outcome)
            self.outcomes.append(outcome)
            self.heard(outcome)

    def _work(self, mutant: Mutant) -> Work[Mutant]:
        """First the tests that noticed what was done near by or in the file, then the quick ones."""
        paths = self.tests[mutant.path]
        seconds = {name: one for path in paths for name, one in self._seconds[path].items()}
        near = self._near.get(_neighbourhood(mutant), deque())
        often = [name for name, _ in self._often.get(mutant.path, Counter()).most_common(_OFTEN)]
        quick = sorted(seconds, key=lambda name: seconds[name])
        order = tuple(dict.fromkeys([*near, *often, *quick]))
        silence = self.silence + max(seconds.values(), default=0.0) * _TIMES_SLOWEST
        return Work(Trial(paths, order, mutant.module, mutant.text), mutant, silence)

    def _remember(self, outcome: Outcome) -> None:
        if outcome.fate != "killed":
            return
        near = self._near.setdefault(_neighbourhood(outcome.mutant), deque(maxlen=_NEAR))
        if outcome.by in near:
            near.remove(outcome.by)
        near.appendleft(outcome.by)
        self._often.setdefault(outcome.mutant.path, Counter())[outcome.by] += 1


def _neighbourhood(mutant: Mutant) -> tuple[str, str]:
    return mutant.path, mutant.place.partition(" ")[0]


def _load_libraries(names: set[str]) -> None:
    """Load what the tests loaded of others, so that no fork has to: it begins with the program."""
    ours = {"__main__", "app", "chalicelib", "conftest", "local", "tests"}
    for name in sorted(names - sys.modules.keys()):
        if name.partition(".")[0] not in ours:
            with suppress(Exception):
                importlib.import_module(name)


def _without_mutant(ended: Ended[str]) -> tuple[dict[str, float], set[str]]:
    """How long each test takes, and the modules they load; Unfit unless all of them pass."""
    last = ended.told[-1] if ended.told else {}
    if ended.silent or last.get("exit") != 0:
        words = "\n".join(ended.printed.splitlines()[-_LAST_WORDS:])
        raise Unfit(f"without a mutant, {ended.work.about} does not pass\n{words}")
    return {one["test"]: one["seconds"] for one in ended.told if "test" in one}, set(
        last["modules"]
    )


def _outcome(ended: Ended[Mutant]) -> Outcome:
    mutant, seconds = ended.work.about, ended.seconds
    if ended.silent:
        tests = [one["test"] for one in ended.told if "test" in one]
        return Outcome(mutant, "hangs", f"after {tests[-1]}" if tests else "", seconds)
    last = ended.told[-1] if ended.told else {"exit": "killed"}
    if last.get("failed"):
        return Outcome(mutant, "killed", last["test"], seconds)
    if last.get("exit") == 0:
        return Outcome(mutant, "survived", "", seconds)
    words = ended.printed.strip().splitlines()
    return Outcome(mutant, "does not start", words[-1] if words else str(last), seconds)
