"""The processes that are ours alone: the Stripe fake, and the app with its quiet replacement."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local import environment, processes
from local.client import ClientError, call
from local.paths import REPOSITORY
from local.processes import Process, ProcessError

_START_SECONDS = 60
_STOP_PLAN = ((signal.SIGTERM, 8.0),)


class StripeFake:
    """The Stripe fake as a process; its address is `url`, and stays between runs."""

    def __init__(self, home: Path, webhook_url: str, webhook_secret: str) -> None:
        self._home = home
        self._webhook = ("--webhook-url", webhook_url, "--webhook-secret", webhook_secret)
        self.log_path = home / "stripe.log"
        self.url = ""
        self.process: Process | None = None

    def start(self) -> None:
        """Start it if it doesn't run, and wait until it answers; ProcessError if it can't."""
        if self.process is not None and self.process.poll() is None:
            return
        self._home.mkdir(parents=True, exist_ok=True)
        port = self._choose_port()
        self.url = f"http://127.0.0.1:{port}"
        state = self._home / "stripe.db"
        command = [sys.executable, "-m", "local.stripe", "--port", str(port)]
        self.process = processes.start(
            "the Stripe fake",
            [*command, "--state", state, *self._webhook, "--api-key", environment.STRIPE_KEY],
            log_path=self.log_path,
            cwd=REPOSITORY,
        )
        processes.wait_until(
            lambda: _answers(f"{self.url}/_control/clock"),
            timeout=_START_SECONDS,
            what=f"the Stripe fake on port {port}",
            process=self.process,
        )

    def stop(self) -> None:
        """Stop it."""
        if self.process is not None:
            self.process.stop()
            self.process = None

    def _choose_port(self) -> int:
        # Checkouts of earlier runs know their page by its address.
        stored = self._home / "port"
        port = int(stored.read_text()) if stored.exists() else 0
        if not port or processes.is_taken(port):
            port = processes.free_port()
            stored.write_text(f"{port}\n")
        return port


class App:
    """The app as a process. `variables` tells its environment at each start."""

    def __init__(self, home: Path, port: int, variables: Callable[[], dict[str, str]]) -> None:
        self._home = home
        self._port = port
        self._variables = variables
        self._turn = threading.Lock()
        self._ready = home / "app.ready"
        self.process: Process | None = None

    def start(self, *, migrating: bool = False) -> None:
        """Start it if it doesn't run, and wait until it serves; ProcessError if it can't."""
        with self._turn:
            if self.process is None or self.process.poll() is not None:
                self.process = self._prepared(migrating=migrating)
                self._wait_until_served_by(self.process)

    def replace(self) -> None:
        """Start a new one, and stop the old one once that is ready to take its place.

        Raises:
            ProcessError: the new one could not be prepared; the old one goes on.
        """
        with self._turn:
            fresh, old = self._prepared(migrating=False), self.process
            self.process = fresh
            if old is not None:
                old.send(signal.SIGTERM)
            self._wait_until_served_by(fresh)
            if old is not None:
                old.stop()

    def stop(self) -> None:
        """Stop it, giving requests under way a few seconds."""
        with self._turn:
            if self.process is not None:
                self.process.stop()
                self.process = None

    @contextmanager
    def hushed(self) -> Iterator[None]:
        """Have its log lines go to the file alone while the block runs."""
        self._control("log", {"quiet": True})
        try:
            yield
        finally:
            self._control("log", {"quiet": False})

    def _prepared(self, *, migrating: bool) -> Process:
        """A process that has all it needs but the port."""
        self._ready.unlink(missing_ok=True)
        variables = self._variables()
        environment.remember(self._home, variables)
        command = [sys.executable, "-m", "local", "serve", "--announce", str(self._ready)]
        process = processes.start(
            "the app",
            [*command, *(["--migrate"] if migrating else [])],
            environment=variables,
            cwd=REPOSITORY,
            stop_plan=_STOP_PLAN,
        )
        try:
            processes.wait_until(
                self._ready.exists, timeout=_START_SECONDS, what="the app", process=process
            )
        except BaseException:
            process.stop()
            raise
        return process

    def _wait_until_served_by(self, process: Process) -> None:
        processes.wait_until(
            lambda: self._server() == process.pid,
            timeout=_START_SECONDS,
            what=f"the app on port {self._port}",
            process=process,
        )

    def _server(self) -> int | None:
        """The process that serves on the port, as it says itself."""
        try:
            pid: int = self._control("health")["pid"]
        except ClientError:
            return None
        return pid

    def _control(self, name: str, body: dict[str, bool] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {environment.control_token(self._home)}"}
        url = f"http://127.0.0.1:{self._port}/_control/{name}"
        return call("GET" if body is None else "POST", url, body, headers=headers)


def _answers(url: str) -> bool:
    try:
        call("GET", url)
    except (ClientError, ProcessError):
        return False
    return True
