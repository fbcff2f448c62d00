"""Child processes that never outlive us, and the loopback ports they listen on.

Every child runs under `local.guard`, which ends it when this process ends in any way, SIGKILL
included. Standard library only.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_GUARD = Path(__file__).with_name("guard.py")
_LOG_BYTES_KEPT = 5_000_000
_POLL_SECONDS = 0.01

StopPlan = tuple[tuple[signal.Signals, float], ...]
TERMINATE: StopPlan = ((signal.SIGTERM, 5.0),)


class ProcessError(RuntimeError):
    """A process could not be started, died, or took too long. The message says what to do."""


class PortTakenError(RuntimeError):
    """Somebody else listens where we want to."""


@dataclass(frozen=True)
class Identity:
    """Whom a child runs as; only root can choose."""

    user: int
    group: int


class Process:
    """A running command. `pid` is the command's own, which leads a process group of that number."""

    def __init__(
        self,
        name: str,
        *,
        pid: int,
        guard: subprocess.Popen[bytes],
        lifeline: int,
        log_path: Path | None,
        log_start: int,
    ) -> None:
        self.name = name
        self.pid = pid
        self.guard_pid = guard.pid
        self.log_path = log_path
        self._log_start = log_start
        self._guard = guard
        self._lifeline: int | None = lifeline

    def poll(self) -> int | None:
        """The exit status if it has ended (128 + n after signal n), else None."""
        status = self._guard.poll()
        if status is not None:
            self._let_go()
            if status < 0:
                # The guard itself was killed: nobody but us is left to end the command.
                _signal_group(self.pid, signal.SIGKILL)
        return status

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, at most `timeout` seconds (TimeoutExpired); returns the status."""
        status = self._guard.wait(timeout)
        self.poll()
        return status

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command alone; nothing happens when it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def stop(self) -> int:
        """End the command and its group as its stop plan says; returns the status. Repeatable."""
        self._let_go()
        return self.wait()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that it printed since it was started; empty without a log."""
        if self.log_path is None:
            return ""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def _let_go(self) -> None:
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    log_path: Path | None = None,
    cwd: Path | None = None,
    stop_plan: StopPlan = TERMINATE,
    identity: Identity | None = None,
) -> Process:
    """Start a command that ends when we do.

    We count as alive as long as a fork of us that runs no other program is; none should outlive us.

    Args:
        name: what a person calls it, used in messages.
        command: program and arguments, no shell.
        environment: its whole environment; None passes ours on.
        log_path: what it prints is added there; None leaves it our own output.
        cwd: where it runs; None is where we run.
        stop_plan: signals with the seconds each is given; SIGKILL comes after the last.
        identity: the account it runs as, when we are root.

    Raises:
        ProcessError: it can't be started; the message has the reason.
    """
    lifeline_read, lifeline = os.pipe()
    report, report_write = os.pipe()
    plan = ",".join(f"{number.value}:{seconds}" for number, seconds in stop_plan)
    account = [str(identity.user), str(identity.group)] if identity else ["-", "-"]
    # Isolated and without site packages, so that it starts in a few milliseconds and nothing in
    # the working directory can stand in for the standard library.
    guard_command = [sys.executable, "-I", "-S", str(_GUARD)]
    guard_command += [str(lifeline_read), str(report_write), plan]
    log = None if log_path is None else _open_log(log_path)
    log_start = 0 if log is None else os.fstat(log).st_size
    try:
        guard = subprocess.Popen(  # noqa: S603
            [*guard_command, *account, *map(str, command)],
            pass_fds=(lifeline_read, report_write),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=None if log is None else subprocess.STDOUT,
            env=None if environment is None else dict(environment),
            cwd=cwd,
            # A Ctrl-C at the terminal reaches us alone; we decide who stops in which order.
            start_new_session=True,
        )
    finally:
        os.close(lifeline_read)
        os.close(report_write)
        if log is not None:
            os.close(log)
    with os.fdopen(report) as lines:
        answer = lines.readline().strip()
    if not answer.isdigit():
        os.close(lifeline)
        guard.wait()
        raise ProcessError(f"{name} could not be started: {answer.removeprefix('error ')}")
    return Process(
        name,
        pid=int(answer),
        guard=guard,
        lifeline=lifeline,
        log_path=log_path,
        log_start=log_start,
    )


def wait_until(
    check: Callable[[], bool],
    *,
    timeout: float,
    what: str,
    process: Process | None = None,
) -> None:
    """Return as soon as `check` holds, asking every few milliseconds.

    Raises:
        ProcessError: the process ended first, or `timeout` seconds passed; with the log's tail.
    """
    deadline = time.monotonic() + timeout
    while not check():
        if process is not None and (status := process.poll()) is not None:
            raise ProcessError(f"{what}: it ended with status {status}.{_tail_of(process)}")
        if time.monotonic() > deadline:
            raise ProcessError(f"{what}: not within {timeout:g} seconds.{_tail_of(process)}")
        time.sleep(_POLL_SECONDS)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Whether somebody listens on the port, on 127.0.0.1 or on every address."""
    with socket.socket() as probe:
        # What servers do: connections that have just ended don't keep a port from being used.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    with socket.socket() as probe:
        # macOS lets us bind beside a listener on every address. A port of the range that
        # connections come from may, once in a long while, be connected with itself.
        probe.settimeout(1)
        answered = probe.connect_ex(("127.0.0.1", port)) == 0
        return answered and probe.getsockname() != probe.getpeername()


def require_free_port(port: int, *, variable: str = "PORT") -> None:
    """Make sure that we can listen on the port.

    Raises:
        PortTakenError: somebody does; names the process where it can be seen, and the way out.
    """
    if not is_taken(port):
        return
    other = next(each for each in range(port + 1, port + 1000) if not is_taken(each))
    raise PortTakenError(
        f"port {port} is taken by {_listener(port)}: stop it or run make run {variable}={other}"
    )


def program_of(pid: int) -> str:
    """The name of the program that a process runs; empty when it is gone or can't be seen."""
    arguments = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        # Of a process that has ended and that nobody has collected yet, this is empty.
        text = arguments.read_text() if arguments.exists() else ""
        return text.partition("\0")[0].rpartition("/")[2]
    return _output("ps", "-p", str(pid), "-o", "comm=").strip().rpartition("/")[2]


def working_in(folder: Path) -> list[int]:
    """The processes whose working directory is the folder, as far as we may see them."""
    if not Path("/proc/self").exists():
        return [int(each) for each in _output("lsof", "-a", "-d", "cwd", "-t", str(folder)).split()]
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if link.readlink() == folder:
                found.append(int(link.parts[2]))
    return found


def _listener(port: int) -> str:
    found = _output("lsof", "-nP", "-t", f"-iTCP:{port}", "-sTCP:LISTEN").split()
    pid = int(found[0]) if found else _listener_in_proc(port)
    return f"{program_of(pid) or 'a program'} (process {pid})" if pid else "another program"


def _listener_in_proc(port: int) -> int | None:
    """The process that listens on the port as Linux shows it, where lsof isn't installed."""
    listening = "0A"
    sockets = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            _, local, _, state, *_, inode = line.split()[:10]
            if state == listening and int(local.rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{inode}]")
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if str(link.readlink()) in sockets:
                return int(link.parts[2])
    return None


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
    except OSError:
        return ""


def _tail_of(process: Process | None) -> str:
    if process is None or process.log_path is None:
        return ""
    return f" The end of {process.log_path}:\n{process.log_tail()}"


def _open_log(path: Path) -> int:
    """A descriptor that appends; a log that has grown large starts anew, one old one is kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_BYTES_KEPT:
        path.replace(path.with_suffix(f"{path.suffix}.old"))
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
