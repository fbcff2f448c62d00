"""Runs one command and ends it when the process that asked for it is gone, however it went.

Run by its path, in an interpreter of its own, by `local.processes`. The one who starts it keeps
the write end of a pipe, the lifeline, whose read end this process holds. The operating system
closes the other end when the owner exits, crashes or is killed, and end-of-file is the order to
stop. That needs nothing of Linux or macOS in particular.

Arguments: lifeline descriptor, report descriptor, plan, user, group, command...
The plan is `signal:seconds,...`, each signal sent to the command's process group and given so
many seconds; SIGKILL follows. User and group are numbers, or `-` to stay who we are. The report
is one line, `<process id>` or `error <reason>`. Exits as the command did, with 128 + n where
signal n ended it.
"""

import os
import select
import signal
import subprocess
import sys
import time
from types import FrameType

_ORDERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_CANNOT_START = 127
_POLL_SECONDS = 0.01
_LEFTOVER_SECONDS = 5.0

Plan = list[tuple[int, float]]


def main(arguments: list[str]) -> int:
    """Run the command to its end, or to ours; returns the exit status to leave with."""
    lifeline, report = int(arguments[0]), int(arguments[1])
    plan = _read_plan(arguments[2])
    stay = arguments[3] == "-"
    wake = _wake_on_signals()
    try:
        child = subprocess.Popen(  # noqa: S603 - the command is our caller's own
            arguments[5:],
            process_group=0,
            user=None if stay else int(arguments[3]),
            group=None if stay else int(arguments[4]),
            extra_groups=None if stay else [],
        )
    except OSError as error:
        os.write(report, f"error {error}\n".encode())
        return _CANNOT_START
    os.write(report, f"{child.pid}\n".encode())
    os.close(report)
    if not _wait_for_end_or_order(child, lifeline, wake):
        _stop(child, plan)
    _end_group(child.pid, plan)
    status = child.returncode
    return status if status >= 0 else 128 - status


def _read_plan(text: str) -> Plan:
    steps = (each.split(":") for each in text.split(",") if each)
    return [(int(number), float(seconds)) for number, seconds in steps]


def _wake_on_signals() -> int:
    """A descriptor that becomes readable with the number of each signal that arrives."""
    wake, written = os.pipe()
    os.set_blocking(written, False)
    signal.set_wakeup_fd(written)
    for each in (*_ORDERS, signal.SIGCHLD):
        signal.signal(each, _nothing)
    return wake


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """The wake-up descriptor carries the signal; a handler is only needed so that it arrives."""


def _wait_for_end_or_order(child: subprocess.Popen[bytes], lifeline: int, wake: int) -> bool:
    """True when the command ended by itself, False when it is to be stopped."""
    while child.poll() is None:
        ready, _, _ = select.select([lifeline, wake], [], [])
        if lifeline in ready:
            return False
        if wake in ready and set(os.read(wake, 64)) & set(_ORDERS):
            return False
    return True


def _stop(child: subprocess.Popen[bytes], plan: Plan) -> None:
    for number, seconds in plan:
        _signal_group(child.pid, number)
        deadline = time.monotonic() + seconds
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if child.poll() is not None:
            return
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()


def _end_group(group: int, plan: Plan) -> None:
    """End what the command started and left behind in its group."""
    if not _signal_group(group, plan[0][0] if plan else signal.SIGTERM):
        return
    deadline = time.monotonic() + _LEFTOVER_SECONDS
    while _signal_group(group, 0):
        if time.monotonic() > deadline:
            _signal_group(group, signal.SIGKILL)
            return
        time.sleep(_POLL_SECONDS)


def _signal_group(group: int, number: int) -> bool:
    """Signal every process of the group; False when there is none left (macOS says EPERM)."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
