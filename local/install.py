"""Installs what Kith runs on: `python3 local/install.py [--only runtime|dev|cloud]`.

`.venv` holds what is deployed (runtime) and what development adds (dev); `.cloud/aws-venv` holds
the AWS emulator (cloud), which needs versions of its own. Every package is checked against the
hash that requirements*.txt records. A stamp, written last, says what an environment was made
from: while that is unchanged nothing is done, and an environment without it is made afresh.

Runs before anything is installed: standard library only, and nothing newer than Python 3.7 until
the version has been looked at.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

if not __package__:
    # Run by its path: what stands beside it must not be taken for the standard library.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from local import paths, progress

OLDEST_PYTHON = (3, 11)
_NEWEST_MINOR = 20

_STAMP = ".complete"
_TAIL_LINES = 20
_OFFLINE = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "ProxyError",
    "Could not fetch URL",
    "No matching distribution found",
)
_WRONG_HASH = "DO NOT MATCH THE HASHES"


class InstallError(Exception):
    """Something is missing or failed. The message says what to do."""


class Environment:
    """A virtual environment: what people call it, where it lies, what goes into it."""

    def __init__(self, name: str, folder: Path, requirements: list[str]) -> None:
        self.name = name
        self.folder = folder
        self.files = [paths.REPOSITORY / each for each in requirements]

    def digest(self) -> str:
        """Changes with all that the environment is made from: files, Python, machine, place."""
        made_from = [str(sys.version_info[:2]), os.uname().machine, str(self.folder)]
        made_from += [each.read_text() for each in self.files]
        return hashlib.sha256("\0".join(made_from).encode()).hexdigest()

    def made_from(self) -> str:
        """The digest that it was completed with; empty when it never was, or lost its Python."""
        stamp = self.folder / _STAMP
        whole = stamp.exists() and (self.folder / "bin" / "python").exists()
        return stamp.read_text() if whole else ""


RUNTIME = Environment("Python packages", paths.PYTHON_ENVIRONMENT, ["requirements.txt"])
DEV = Environment(
    "Python packages", paths.PYTHON_ENVIRONMENT, ["requirements.txt", "requirements-dev.txt"]
)
CLOUD = Environment("AWS emulator", paths.AWS_ENVIRONMENT, ["requirements-cloud.txt"])
CHOICES = {"runtime": [RUNTIME], "dev": [DEV], "cloud": [CLOUD]}


def main(arguments: list[str]) -> int:
    """Install what is asked for and not there yet; returns the exit status."""
    parser = argparse.ArgumentParser(description="Install what Kith runs on.")
    parser.add_argument("--only", choices=sorted(CHOICES), help="part of it; all without this")
    only = parser.parse_args(arguments).only
    try:
        require_python()
        install_missing(CHOICES[only] if only else [DEV, CLOUD])
    except InstallError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again, it starts afresh.", file=sys.stderr)
        return 130
    return 0


def is_complete(environment: Environment) -> bool:
    """Whether it holds what it should; what development adds does no harm."""
    made_from = environment.made_from()
    good = [environment, DEV] if environment is RUNTIME else [environment]
    return bool(made_from) and made_from in [each.digest() for each in good]


def install_missing(environments: list[Environment]) -> None:
    """Make those that aren't complete, side by side.

    Raises:
        InstallError: a prerequisite is missing, or an installation failed.
    """
    if all(map(is_complete, environments)):
        return
    require_venv()
    # Both needed only now, and this must be quick when there is nothing to do.
    import fcntl  # noqa: PLC0415
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    lock_path = paths.REPOSITORY / ".cloud" / "install.lock"
    lock_path.parent.mkdir(parents=True, exist_ok=True)
    with lock_path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            progress.say("Another installation is running here: waiting for it to end.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [each for each in environments if not is_complete(each)]
        with ThreadPoolExecutor() as pool:
            work = [pool.submit(_install, each, lock.fileno()) for each in missing]
        failures = [str(each.exception()) for each in work if each.exception()]
    if failures:
        raise InstallError("\n\n".join(failures))


def require_python() -> None:
    """Go on in a newer Python if this one is too old and there is one.

    Raises:
        InstallError: there is none.
    """
    if sys.version_info >= OLDEST_PYTHON:
        return
    oldest = ".".join(map(str, OLDEST_PYTHON))
    for minor in range(_NEWEST_MINOR, OLDEST_PYTHON[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        # A name on the PATH may be a wrapper around nothing.
        if found and subprocess.run([found, "-c", ""], check=False).returncode == 0:  # noqa: S603
            os.execv(found, [found, *sys.argv])  # noqa: S606
    raise InstallError(
        f"Python {oldest} or later is needed, this is {sys.version.split()[0]}.\n"
        f"  Debian 12, Ubuntu 24.04 or later: sudo apt-get install python3 python3-venv\n"
        f"  macOS: brew install python@3.13"
    )


def require_venv() -> None:
    """Make sure that virtual environments can be made.

    Raises:
        InstallError: Debian and Ubuntu keep that in a package of its own, which is missing.
    """
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec("venv") and find_spec("ensurepip"):
        return
    minor = sys.version_info[1]
    raise InstallError(
        f"This Python ({sys.executable}) can't make virtual environments.\n"
        f"  Debian, Ubuntu: sudo apt-get install python3-venv (or python3.{minor}-venv)\n"
        f"  macOS: brew install python@3.13"
    )


def require_own_folder(folder: Path) -> None:
    """Make sure that what is going to be emptied lies in this clone.

    Raises:
        InstallError: a symbolic link leads elsewhere, to what may be somebody's; `venv --clear`
            would follow it.
    """
    for each in (folder, *folder.parents):
        if each == paths.REPOSITORY:
            return
        if each.is_symlink():
            raise InstallError(
                f"{each} is a symbolic link, to {os.path.realpath(str(each))}.\n"
                "What it leads to isn't what belongs here, and making it anew would empty it.\n"
                f"  Remove the link, and run the same command again: rm '{each}'"
            )


def _install(environment: Environment, lock: int) -> None:
    """Make the environment from nothing, so that it holds what a fresh clone gets, no more."""
    digest = environment.digest()
    folder = environment.folder
    require_own_folder(folder)
    with progress.step(environment.name) as step:
        (folder / _STAMP).unlink(missing_ok=True)
        make_empty(environment, lock, step)
        pip = [str(folder / "bin" / "python"), "-I", "-m", "pip", "install", "--require-hashes"]
        pip += ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
        for each in environment.files:
            pip += ["--requirement", str(each)]
        _run(environment, pip, lock, step)
        (folder / _STAMP).write_text(digest)
        step.outcome = "installed"


def make_empty(environment: Environment, lock: int, step: progress.Step) -> None:
    """Make the environment with nothing but pip in it, whatever was there."""
    # If we run in an environment, maybe in the one to be replaced: the Python behind it.
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "-I", "-m", "venv", "--clear", str(environment.folder)]
    _run(environment, command, lock, step)


def _run(environment: Environment, command: list[str], lock: int, step: progress.Step) -> None:
    """Run a command to its end, showing how far it is and keeping its words for a failure."""
    names = {
        line.partition("==")[0]
        for file in environment.files
        for line in file.read_text().splitlines()
        if "==" in line and line[0].isalnum()
    }
    said: list[str] = []
    collected = 0
    with subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"},
        # It holds the lock too, so nobody clears the folder while a killed run's pip still writes.
        pass_fds=(lock,),
    ) as process:
        for line in process.stdout or ():
            said.append(line.rstrip())
            if line.startswith("Collecting "):
                collected += 1
                step.detail = f"{collected} of {len(names)}"
            elif line.startswith("Installing collected"):
                step.detail = "unpacking"
    if process.returncode:
        tail = "\n".join(f"  {each}" for each in said[-_TAIL_LINES:])
        cure = _cure("\n".join(said))
        raise InstallError(f"{environment.name}: not installed.\n{tail}\n{cure}")


def _cure(said: str) -> str:
    if _WRONG_HASH in said:
        return (
            "A file is not the one that requirements*.txt records. Run `python3 -m pip cache purge` "
            "and the same command again; if it stays so, the package index is not to be trusted."
        )
    if any(each in said for each in _OFFLINE):
        return (
            "The package index can't be reached. Look at the network connection, or name a mirror "
            "in PIP_INDEX_URL or a folder of wheels in PIP_FIND_LINKS; then run the same command "
            "again."
        )
    return "Run the same command again once this is put right; it starts afresh."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
