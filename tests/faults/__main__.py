"""`make proof`: every promise tried, with progress, and a table of what was tried and what broke.

    python -m tests.faults [--short] [--write] [--minutes 60] [room or proof …]

Each room of proofs runs in a process of its own with a database of its own, two at a time; what
measures time runs alone. Exits with 1 if a promise is broken, a planted fault was not found or
the time is over.
"""

import argparse
import importlib
import json
import os
import pkgutil
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tests.faults
from tests.faults import table
from tests.faults.proof import Proof, say

ROOT = Path(__file__).parents[2]
_AT_ONCE = 2


@dataclass
class Hall:
    """The rooms that run, what they told and what came of them."""

    effort: str
    deadline: float
    started: float = field(default_factory=time.monotonic)
    told: queue.SimpleQueue[tuple[str, str]] = field(default_factory=queue.SimpleQueue)
    results: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def run(self, room: str, proofs: list[str]) -> None:
        """One room, from start to end."""
        command = [sys.executable, "-m", "tests.faults.room", room, self.effort, *proofs]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        timer = threading.Timer(max(1.0, self.deadline - time.monotonic()), _end, [process])
        timer.start()
        other: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            self._hear(room, line, other)
        timer.cancel()
        if process.wait() != 0:
            late = time.monotonic() >= self.deadline
            reason = "ran out of time" if late else f"ended with {process.returncode}"
            self.failures.append(f"{room} {reason}\n{''.join(other[-40:])}")

    def _hear(self, room: str, line: str, other: list[str]) -> None:
        try:
            heard = json.loads(line)
        except json.JSONDecodeError:
            heard = None
        if not isinstance(heard, dict):
            other.append(line)
        elif "result" in heard:
            result = heard["result"] | {"room": room, "effort": self.effort}
            self.results.append(result)
            table.keep(result)
            self.say(table.line(heard["result"]))
        else:
            self.say(heard["told"])

    def say(self, line: str) -> None:
        """A line with the time since the start."""
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        say(f"[{minutes:2}:{seconds:02}] {line}")


def _end(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)


def rooms() -> dict[str, tuple[Proof, ...]]:
    """Every room, with its proofs."""
    found = {}
    for module in pkgutil.iter_modules(tests.faults.__path__):
        if not module.name.startswith(("_", "test_")) and not module.ispkg:
            proofs = getattr(importlib.import_module(f"tests.faults.{module.name}"), "PROOFS", ())
            if proofs:
                found[module.name] = proofs
    return found


def chosen(wanted: list[str]) -> dict[str, list[str]]:
    """Room to the proofs to run there; SystemExit for a name that is none."""
    known = rooms()
    names = {proof.name: room for room, proofs in known.items() for proof in proofs}
    unknown = [one for one in wanted if one not in known and one not in names]
    if unknown:
        raise SystemExit(
            f"no such proof: {', '.join(unknown)}. There are: {', '.join(sorted(names))}"
        )
    found: dict[str, list[str]] = {}
    for name, room in names.items():
        if not wanted or name in wanted or room in wanted:
            found.setdefault(room, []).append(name)
    return found


def longest_first(asked: dict[str, list[str]]) -> list[str]:
    """The rooms, those that took longest the last time first, so that both cores end together."""
    took: dict[str, float] = {}
    for one in table.kept().values():
        took[one["room"]] = took.get(one["room"], 0.0) + one["seconds"]
    return sorted(asked, key=lambda room: -took.get(room, 0.0))


def alone(room: str) -> bool:
    """Whether a room measures time, so that nothing may run beside it."""
    return bool(getattr(importlib.import_module(f"tests.faults.{room}"), "ALONE", False))


def main() -> int:
    """Run what is asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="make proof", description="Try every promise.")
    parser.add_argument("names", nargs="*", help="rooms or proofs; all, unless named")
    parser.add_argument("--short", action="store_true", help="as often as CI does")
    parser.add_argument("--write", action="store_true", help="write the figures to the guarantees")
    parser.add_argument("--minutes", type=float, default=60)
    told = parser.parse_args()
    asked = chosen(told.names)
    hall = Hall("short" if told.short else "full", time.monotonic() + told.minutes * 60)
    together: queue.SimpleQueue[str] = queue.SimpleQueue()
    for room in longest_first(asked):
        if not alone(room):
            together.put(room)

    def work() -> None:
        while True:
            try:
                room = together.get_nowait()
            except queue.Empty:
                return
            hall.run(room, asked[room])

    threads = [threading.Thread(target=work) for _ in range(_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for room in asked:
        if alone(room):
            hall.run(room, asked[room])
    return finish(hall, write=told.write)


def finish(hall: Hall, *, write: bool) -> int:
    """Print the table and all that is wrong; the exit code."""
    hall.results.sort(key=lambda one: (one["room"], one["name"]))
    seconds = time.monotonic() - hall.started
    say("\n" + table.report(hall.results, seconds))
    for failure in hall.failures:
        say(f"\n{failure}")
    wrong = bool(hall.failures) or any(one["broken"] or one["missed"] for one in hall.results)
    if write and not wrong:
        table.write([proof.name for proofs in rooms().values() for proof in proofs])
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
