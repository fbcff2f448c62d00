"""`make bench`: the goals for speed, each measured beside its peer in the same run.

    python -m bench [--strict] [--minutes 15] [warm network …]

Prints a table for each goal and writes build/bench.json. Nothing runs beside a measurement.
Only ratios within a run mean anything: another machine has other figures. A goal that is missed
ends in 1 only with `--strict`; a measurement that failed always does.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from bench.figures import of_json, table

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "build" / "bench.json"

TOGETHER = (
    ("round_trips",),
    ("warm",),
    ("network",),
    ("start",),
    ("spending",),
    ("paging", "plans"),
)
"""The measurements in their order; those that need the same world share a process."""


class Bench:
    """A run of measurements: what they told and found."""

    def __init__(self, minutes: float) -> None:
        self._started = time.monotonic()
        self._deadline = self._started + minutes * 60
        self.results: list[dict[str, Any]] = []
        self.failures: list[str] = []

    def run(self, names: list[str]) -> None:
        """Measure in a process of its own, and print the tables."""
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.process", *names],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        left = max(1.0, self._deadline - time.monotonic())
        timer = threading.Timer(left, os.killpg, [process.pid, signal.SIGKILL])
        timer.start()
        other: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            self._hear(line, other)
        timer.cancel()
        if process.wait() != 0:
            late = time.monotonic() >= self._deadline
            reason = "ran out of time" if late else f"ended with {process.returncode}"
            self.failures.append(f"{' '.join(names)} {reason}\n{''.join(other[-40:])}")

    def _hear(self, line: str, other: list[str]) -> None:
        try:
            heard = json.loads(line)
        except json.JSONDecodeError:
            heard = None
        if not isinstance(heard, dict) or not heard.keys() & {"told", "result"}:
            other.append(line)
        elif "told" in heard:
            self._say(heard["told"])
        else:
            result = heard["result"]
            self.results.append(result)
            if result["failure"]:
                self.failures.append(f"{result['name']} failed\n{result['failure']}")
            found = [of_json(one) for one in result["figures"]]
            print(f"\n{table(result['title'], found)}\n", flush=True)

    def _say(self, line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        print(f"[{minutes:2}:{seconds:02}] {line}", flush=True)

    def finish(self) -> bool:
        """Write what was found and say which goals are missed; whether any is."""
        RESULT.parent.mkdir(exist_ok=True)
        machine = {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "machine": platform.machine(),
        }
        seconds = round(time.monotonic() - self._started)
        told = machine | {"seconds": seconds, "measurements": self.results}
        RESULT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        goals = [
            (result["title"].partition(" ")[0], one)
            for result in self.results
            for one in result["figures"]
            if one["met"] is not None
        ]
        missed = [(goal, one) for goal, one in goals if not one["met"]]
        for failure in self.failures:
            print(failure)
        minutes = seconds / 60
        print(
            f"{len(goals)} goals, {len(missed)} missed, in {minutes:.1f} min; {RESULT.name} has all"
        )
        for goal, one in missed:
            print(f"  missed: {goal} {one['what']}")
        return bool(missed)


def chosen(wanted: list[str]) -> list[list[str]]:
    """What runs, by process; SystemExit for a name that is none."""
    known = [name for together in TOGETHER for name in together]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise SystemExit(
            f"no such measurement: {', '.join(unknown)}. There are: {', '.join(known)}"
        )
    found = [[one for one in together if not wanted or one in wanted] for together in TOGETHER]
    return [names for names in found if names]


def main() -> int:
    """Measure what is asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure the goals for speed.")
    parser.add_argument("names", nargs="*", help="measurements; all, unless named")
    parser.add_argument("--strict", action="store_true", help="end in 1 if a goal is missed")
    parser.add_argument("--minutes", type=float, default=15)
    told = parser.parse_args()
    asked = chosen(told.names)
    bench = Bench(told.minutes)
    for names in asked:
        bench.run(names)
    missed = bench.finish()
    return int(bool(bench.failures) or (told.strict and missed))


if __name__ == "__main__":
    sys.exit(main())
