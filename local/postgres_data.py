"""The data folder of a PostgreSQL: where it lies, its making, and who is using it."""

import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from local import paths, postgres_binaries, processes
from local.postgres_binaries import Binaries, run_as
from local.processes import Identity, ProcessError

USER = "kith"

# A server whose owner has gone is told to stop within milliseconds; one in use stays ready.
_READY_SECONDS = 3
_STOPPING_SECONDS = 25
_ORPHAN_SECONDS = 5
_POLL_SECONDS = 0.02


def root(home: Path) -> Path:
    """Where the data of a home lie: in it, or where another account can reach them for root."""
    inside = home.resolve() / "data"
    if os.geteuid() != 0 or paths.everyone_may_enter(home):
        return inside
    key = hashlib.sha256(str(inside).encode()).hexdigest()[:12]
    return postgres_binaries.own_folder_for_root().resolve() / f"{home.name}-{key}"


def initialise(binaries: Binaries, data: Path, identity: Identity | None, *, durable: bool) -> str:
    """Make the data folder unless it is there; returns the password, kept beside the data.

    Raises:
        ProcessError: it can't be made, or it belongs to somebody else.
    """
    password_file = data.with_name(f"{data.name}.password")
    try:
        if not _exists(data / "PG_VERSION"):
            _make(binaries, data, password_file, identity, durable=durable)
        return password_file.read_text().strip()
    except PermissionError as error:
        raise ProcessError(
            f"the data in {data.parent} belong to account {data.parent.stat().st_uid}: "
            f"run as that account or as root, or remove the folder"
        ) from error


def _exists(path: Path) -> bool:
    """Like Path.exists, which from Python 3.14 on takes what we may not see for absent."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _make(
    binaries: Binaries, data: Path, password_file: Path, identity: Identity | None, *, durable: bool
) -> None:
    partial = data.with_name(f"{data.name}.new")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    password_file.unlink(missing_ok=True)
    descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{secrets.token_hex(16)}\n")
    if identity is not None:
        data.parent.chmod(0o755)
        for each in (data.parent, partial, password_file):
            os.chown(each, identity.user, identity.group, follow_symlinks=False)
    command: list[str | Path] = [binaries.folder / "initdb", "-D", partial, "-U", USER]
    command += ["-E", "UTF8", "--auth=scram-sha-256", f"--pwfile={password_file}"]
    command += ["--no-instructions"] if durable else ["--no-instructions", "--no-sync"]
    _initdb(command, identity)
    # Only now under its name: one that was interrupted is made afresh.
    partial.rename(data)


def _initdb(command: list[str | Path], identity: Identity | None) -> None:
    try:
        run_as(identity, [*command, "--locale=C.UTF-8"])
    except subprocess.CalledProcessError as error:
        if "invalid locale" not in error.output:
            raise ProcessError(f"initdb failed:\n{error.output}") from error
        # Older systems have no C.UTF-8. Plain C differs in upper and lower case beyond ASCII only.
        run_as(identity, [*command, "--locale=C"])


def server_status(data: Path) -> tuple[int, str] | None:
    """Process id and status ("starting", "ready", "stopping") of the server that says it runs."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), lines[7].strip()
    except (FileNotFoundError, IndexError, ValueError):
        return None


def wait_for_predecessor(data: Path) -> None:
    """Wait while a server of an earlier run, now without its owner, is still shutting down.

    Raises:
        ProcessError: it doesn't, so another run is using the data.
    """
    found = server_status(data)
    if found is None:
        return
    pid = found[0]
    started = time.monotonic()
    while server_status(data) == found or server_status(data) == (pid, "stopping"):
        if processes.program_of(pid) != "postgres":
            # Left by a crash. The number may be another program's by now, which PostgreSQL would
            # take for itself; servers that do use the data it recognises by their memory.
            (data / "postmaster.pid").unlink(missing_ok=True)
            return
        patience = _READY_SECONDS if server_status(data) == (pid, "ready") else _STOPPING_SECONDS
        if time.monotonic() - started > patience:
            raise ProcessError(
                f"PostgreSQL already runs on {data} as process {pid}: stop the other run, "
                f"or if there is none, kill -INT {pid}"
            )
        time.sleep(_POLL_SECONDS)


def end_orphans(data: Path) -> None:
    """End the sessions of a server that was killed, which go on while they are computing.

    SIGQUIT is what their server would have sent: they leave at once, and what they hadn't
    committed is undone at the next start.

    Raises:
        ProcessError: one of them doesn't end.
    """
    for number in (signal.SIGQUIT, signal.SIGKILL):
        for pid in _sessions_in(data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        with contextlib.suppress(ProcessError):
            processes.wait_until(
                lambda: not _sessions_in(data), timeout=_ORPHAN_SECONDS, what="PostgreSQL"
            )
            return
    left = ", ".join(map(str, _sessions_in(data)))
    raise ProcessError(f"processes {left} still use {data}: end them with kill -9")


def _sessions_in(data: Path) -> list[int]:
    """The PostgreSQL processes that work in the data folder, as all of a server's do."""
    return [
        pid
        for pid in processes.working_in(data)
        if processes.program_of(pid).startswith("postgres")
    ]
