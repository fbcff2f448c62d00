"""Keeping processes running: one that ends unasked is started again, ever more patiently."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from local import progress
from local.processes import Process

_POLL_SECONDS = 0.05
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0
_SOUND_SECONDS = 30.0


@dataclass(frozen=True)
class Part:
    """Something that runs in a process of its own.

    `start` starts it if it does not run and returns when it works; `process` is what runs now.
    """

    name: str
    start: Callable[[], None]
    stop: Callable[[], None]
    process: Callable[[], Process | None]


def keep_running(part: Part, stopping: threading.Event) -> None:
    """Start a part again whenever it ends, until `stopping` is set."""
    pause, started = _FIRST_PAUSE, time.monotonic()
    while not stopping.wait(_POLL_SECONDS):
        process = part.process()
        status = process.poll() if process is not None else None
        if process is not None and status is None:
            continue
        if time.monotonic() - started > _SOUND_SECONDS:
            pause = _FIRST_PAUSE
        progress.say(f"{part.name} ended {_how(status)}; starting it again")
        if stopping.wait(pause):
            return
        pause = min(pause * 2, _LONGEST_PAUSE)
        try:
            part.start()
        except Exception as error:  # noqa: BLE001  said, and tried again
            progress.say(f"{part.name} could not be started: {error}")
        else:
            started = time.monotonic()
            progress.say(f"{part.name} runs again")


def watch(parts: list[Part], stopping: threading.Event) -> None:
    """Keep each part running, in a thread of its own."""
    for part in parts:
        threading.Thread(
            target=keep_running, args=(part, stopping), name=f"keep {part.name}", daemon=True
        ).start()


def stop_all(parts: list[Part]) -> None:
    """Stop parts side by side, and return when all have ended."""
    threads = [threading.Thread(target=part.stop) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def kill_all(parts: list[Part]) -> None:
    """End parts at once, whatever they are doing."""
    for part in parts:
        process = part.process()
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def _how(status: int | None) -> str:
    signals = 128
    if status is None:
        return "unasked"
    if status > signals and status - signals in set(signal.Signals):
        return f"by {signal.Signals(status - signals).name}"
    return f"with status {status}"
