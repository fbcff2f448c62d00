"""One trial: in a fork of the hunter, the tests of a module run against a mutant of it.

The fork has pytest and every library loaded, but nothing of the program: what it loads then is
the mutant, whose text a finder hands out in place of the file's. So no tree is copied, and what
runs when a module is loaded is mutated as well.
"""

import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn, Protocol

import pytest
from hypothesis import settings

_LONGEST_SECONDS = 1800


class Ground(Protocol):
    """What trials stand on; made once, kept warm."""

    def plugins(self, slot: int) -> list[object]:
        """What pytest is given in the fork that runs in a slot, before anything is loaded."""
        ...


@dataclass(frozen=True)
class Trial:
    """Tests to run, in which order, and the module that is another one meanwhile."""

    paths: tuple[str, ...]
    order: tuple[str, ...] = ()
    module: str | None = None
    text: str = ""


class _Finder(MetaPathFinder):
    """Hands out another text for one module."""

    def __init__(self, module: str, text: str) -> None:
        self._module, self._text = module, text

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module is; with the other text, if it is the one."""
        if fullname != self._module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(fullname)
        spec.loader = _Loader(fullname, spec.origin, self._text)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, text: str) -> None:
        super().__init__(fullname, path)
        self._text = text

    def get_code(self, _fullname: str) -> CodeType:
        """The code of the other text."""
        return compile(self._text, self.path, "exec", dont_inherit=True)


class _Listener:
    """Tells the hunter of each test; ends the fork at the first that fails."""

    def __init__(self, trial: Trial, report: int) -> None:
        self._rank = {name: number for number, name in enumerate(trial.order)}
        self._is_mutant = trial.module is not None
        self._report = report
        self._seconds = 0.0
        self._failed = False

    def tell(self, **told: Any) -> None:
        os.write(self._report, (json.dumps(told) + "\n").encode())

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        last = len(self._rank)
        items.sort(key=lambda item: self._rank.get(item.nodeid, last))
        self.tell(collected=len(items))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds += report.duration
        self._failed |= report.failed
        if self._failed and self._is_mutant:
            self.tell(test=report.nodeid, seconds=self._seconds, failed=True)
            _end()
        if report.when == "teardown":
            self.tell(test=report.nodeid, seconds=self._seconds, failed=self._failed)
            self._seconds, self._failed = 0.0, False


@dataclass(frozen=True)
class Place:
    """Where a fork runs: on which ground, in which slot, below which root; its own folder."""

    ground: Ground
    slot: int
    root: Path
    folder: Path


def fork(trial: Trial, place: Place) -> tuple[int, int]:
    """Run a trial in a fork of this process; its id, and the pipe that tells of each test.

    The pipe ends with `{"exit": …}`, pytest's exit status, unless a test of a mutant failed.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    try:
        os.close(reading)
        _settle(trial, place)
        _run(trial, place, _Listener(trial, writing))
    finally:
        _end()


def _settle(trial: Trial, place: Place) -> None:
    """Become a process of one's own, which leaves its files in its folder."""
    os.setsid()
    # Should the hunter be killed, nobody else is left to end what hangs.
    signal.alarm(_LONGEST_SECONDS)
    log = os.open(place.folder / "log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    tempfile.tempdir = str(place.folder)
    os.chdir(place.root)
    # Nothing of a plugin is needed, and some take longer to load than a test.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = trial.module is not None
    # What is found in a mutant is no example to begin with next time.
    settings.register_profile("mutants", database=None, derandomize=True)
    settings.load_profile("mutants")


def _run(trial: Trial, place: Place, listener: _Listener) -> None:
    if trial.module is not None:
        sys.meta_path.insert(0, _Finder(trial.module, trial.text))
    try:
        plugins = [*place.ground.plugins(place.slot), listener]
        status: int | str = int(pytest.main([*trial.paths], plugins=plugins))
    except BaseException as error:
        traceback.print_exc()
        status = repr(error)
        raise
    finally:
        modules = [] if trial.module else sorted(sys.modules)
        listener.tell(exit=status, modules=modules)


def _end() -> NoReturn:
    """Leave at once: what the fork has from its parent is the parent's to put away."""
    with suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)
