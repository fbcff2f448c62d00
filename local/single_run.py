"""One run to a home: who holds it, and how to end that."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05


class Run(NamedTuple):
    """A run under way: the supervisor's process id, and the app's port."""

    pid: int
    port: int


class AlreadyRunning(Exception):
    """Another run uses this home; the message names it and the cure."""


class NotRunning(Exception):
    """Nothing runs in this home; the message has the cure."""


@contextmanager
def alone(home: Path, port: int) -> Iterator[None]:
    """Hold the home while the block runs, or raise AlreadyRunning."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            pid, other = file.read().split()
            raise AlreadyRunning(
                f"Kith already runs here as process {pid} on port {other}: make stop ends it. "
                f"To run another beside it: make run PORT={port + 1} KITH_CLOUD_HOME=/some/folder"
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()} {port}\n")
        file.flush()
        yield


def current(home: Path) -> Run:
    """The run under way in this home; NotRunning if there is none."""
    lock = home / "run.lock"
    if lock.exists():
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                pid, port = file.read().split()
                return Run(int(pid), int(port))
    raise NotRunning("Kith doesn't run: start it with make run, in another terminal")


def stop(home: Path) -> Run:
    """Stop the run under way and wait for its end; NotRunning if there is none."""
    run = current(home)
    os.kill(run.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            current(home)
        except NotRunning:
            return run
        time.sleep(_POLL_SECONDS)
    raise AlreadyRunning(f"process {run.pid} did not stop within {_STOP_SECONDS:.0f} s: kill -9 it")
