"""PostgreSQL for one machine, run by us in the foreground, on 127.0.0.1 only.

`DATABASE_URL` stands in for all of it. Otherwise the server's data, password, port and log lie
in a folder and are there again at the next start, also after a SIGKILL of anything.
"""

import contextlib
import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

from pg8000 import native

from local import postgres_binaries, postgres_data, processes, progress
from local.processes import Process, ProcessError

StopMode = Literal["fast", "immediate"]

DATABASE = "kith"

_SIGNALS: dict[StopMode, signal.Signals] = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
# Fast: sessions are ended and a checkpoint written. Immediate takes PostgreSQL at most 5 seconds.
_STOP_PLAN = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 7.0))
_STOP_SECONDS = 30
_START_SECONDS = 60

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
}
# A test's data may be lost with the machine's power, never with a process.
_FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class Server:
    """A PostgreSQL that somebody else runs, named by `DATABASE_URL`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def admin_url(self, database: str | None = None) -> str:
        """The address of a database of this server for somebody who may create databases."""
        if database is None:
            return self.url
        return urlsplit(self.url)._replace(path=f"/{quote(database)}").geturl()

    def start(self) -> None:
        """Nothing: it runs."""

    def stop(self, mode: StopMode = "fast") -> None:
        """Nothing: it isn't ours to stop."""

    def restart(self, mode: StopMode = "fast") -> None:
        """Refused: it isn't ours to stop."""
        raise ProcessError(f"DATABASE_URL is not ours to restart ({mode}): unset it")

    def __enter__(self) -> Self:
        """The server itself, for `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()


class LocalServer(Server):
    """A PostgreSQL of our own. Its address is `url`, its process `process`."""

    def __init__(self, home: Path, *, durable: bool, port: int | None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self.durable = durable
        self._fixed_port = port
        self._identity = postgres_binaries.unprivileged_identity(postgres_data.root(home))
        self._binaries = postgres_binaries.find(self._identity)
        self.version = self._binaries.version
        self.data = postgres_data.root(home) / str(self.version)
        self.log_path = home / "postgres.log"
        self.port = 0
        self.process: Process | None = None
        super().__init__("")

    def start(self) -> None:
        """Start it, with its data made first if need be, and wait until it takes connections.

        Raises:
            ProcessError: it can't be started; the message has the reason and what to do.
            PortTakenError: the port that was asked for is taken.
        """
        if self.process is not None and self.process.poll() is None:
            return
        password = postgres_data.initialise(
            self._binaries, self.data, self._identity, durable=self.durable
        )
        postgres_data.wait_for_predecessor(self.data)
        self.port = self._choose_port()
        self.process = self._launch()
        if self.durable:
            (self._home / "port").write_text(f"{self.port}\n")
        self.url = f"postgresql://{postgres_data.USER}:{password}@127.0.0.1:{self.port}/{DATABASE}"
        if not database_exists(self, DATABASE):
            create_database(self, DATABASE)

    def admin_url(self, database: str | None = None) -> str:
        """The address of a database of this server for somebody who may create databases."""
        return super().admin_url(database or "postgres")

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop it: `fast` ends the sessions and writes all out, `immediate` is like a crash."""
        if self.process is None:
            return
        self.process.send(_SIGNALS[mode])
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_SECONDS)
        self.process.stop()
        self.process = None

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop and start again, on the same port: the address stays the same."""
        self.stop(mode)
        self.start()

    def _choose_port(self) -> int:
        wanted = self._fixed_port or self.port
        if wanted:
            processes.require_free_port(wanted, variable="POSTGRES_PORT")
            return wanted
        stored = self._home / "port"
        if self.durable and stored.exists():
            port = int(stored.read_text())
            if not processes.is_taken(port):
                return port
        return processes.free_port()

    def _launch(self) -> Process:
        """Start the server and wait until it is ready; sessions of a killed one are ended."""
        try:
            return self._launch_once()
        except ProcessError as error:
            if "pre-existing shared memory block" not in str(error):
                raise
            progress.say("PostgreSQL: ending sessions that a killed server left behind")
            postgres_data.end_orphans(self.data)
            return self._launch_once()

    def _launch_once(self) -> Process:
        settings = {**_SETTINGS, "port": str(self.port)}
        if not self.durable:
            settings |= _FAST_SETTINGS
        if any(self._binaries.folder.parent.glob("lib/**/pg_stat_statements.*")):
            settings["shared_preload_libraries"] = "pg_stat_statements"
        options = [f"--{name}={value}" for name, value in settings.items()]
        process = processes.start(
            "PostgreSQL",
            [self._binaries.folder / "postgres", "-D", self.data, *options],
            environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            log_path=self.log_path,
            cwd=Path("/"),
            stop_plan=_STOP_PLAN,
            identity=self._identity,
        )
        try:
            processes.wait_until(
                lambda: postgres_data.server_status(self.data) == (process.pid, "ready"),
                timeout=_START_SECONDS,
                what=f"PostgreSQL {self.version} on port {self.port}",
                process=process,
            )
        except BaseException:
            process.stop()
            raise
        return process


def running(home: Path, *, durable: bool, port: int | None = None) -> Server:
    """Start a PostgreSQL; the result can be used with `with`, which stops it at the end.

    Args:
        home: the folder of its data, password, port and log. Data of another major version lie
            beside it, and as root the data may lie elsewhere (`postgres_data.root`).
        durable: True keeps every commit through a power failure and the port between runs.
        port: the port to listen on; None is the stored one or a free one.

    Raises:
        ProcessError, PortTakenError: see `LocalServer.start`.
    """
    url = os.environ.get("DATABASE_URL")
    if url:
        return Server(url)
    server = LocalServer(home, durable=durable, port=port)
    server.start()
    return server


def discard(home: Path) -> None:
    """Delete the data of a home whose server is stopped."""
    shutil.rmtree(postgres_data.root(home), ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def database_exists(server: Server, name: str) -> bool:
    """Whether the server has a database of that name."""
    with connected(server.admin_url()) as connection:
        found = connection.run("select 1 from pg_database where datname = :name", name=name)
        return bool(found)


def create_database(server: Server, name: str, template: str | None = None) -> None:
    """Create a database, as a copy of `template` if one is named; nobody may be using that."""
    copied = f'template "{template or "template0"}"'
    if isinstance(server, LocalServer) and not server.durable:
        # Three times as fast where nothing is flushed to disk.
        copied += " strategy file_copy"
    _run(server.admin_url(), f'create database "{name}" {copied}')


def drop_database(server: Server, name: str) -> None:
    """Delete a database, if it exists, and end the sessions that use it."""
    _run(server.admin_url(), f'drop database if exists "{name}" with (force)')


@contextlib.contextmanager
def connected(url: str) -> Iterator[native.Connection]:
    """A connection of its own, closed at the end; for setting up and looking, not for the app."""
    parts = urlsplit(url)
    on_loopback = parts.hostname in ("127.0.0.1", "localhost", "::1")
    plain = on_loopback or parse_qs(parts.query).get("sslmode") == ["disable"]
    connection = native.Connection(
        unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        host=parts.hostname,
        port=parts.port or 5432,
        database=unquote(parts.path.removeprefix("/")),
        ssl_context=False if plain else ssl.create_default_context(),
        timeout=60,
    )
    try:
        yield connection
    finally:
        connection.close()


def _run(url: str, statement: str) -> None:
    with connected(url) as connection:
        connection.run(statement)
