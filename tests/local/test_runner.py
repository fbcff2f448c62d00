"""Everything that `make run` starts, started for real: it works, heals, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import postgres, postgres_data, processes
from local.client import ClientError, call, text_of
from local.paths import REPOSITORY
from tests.support.people import PASSWORD

OURS = ("KITH_", "AWS_", "STRIPE_", "DATABASE_URL", "PORT")
START_SECONDS = 60
HEAL_SECONDS = 30
STOP_SECONDS = 20


class Kith:
    """A run in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home, self.port = home, processes.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "run.log"
        self.data = postgres_data.root(home / "postgres")
        inherited = {name: text for name, text in os.environ.items() if not name.startswith(OURS)}
        self.variables = {**inherited, "KITH_CLOUD_HOME": str(home), "PORT": str(self.port)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local", "run"],
                cwd=REPOSITORY,
                env=self.variables,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def says(self, text: str) -> bool:
        """Whether the text was printed."""
        return text in self.log.read_text()

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another command of the local cloud's beside it."""
        return subprocess.run(
            [sys.executable, "-m", "local", *arguments],
            cwd=REPOSITORY,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def tree(self) -> set[int]:
        """The processes that have the run's folder in their command or work in it."""
        found = set()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                seen = (process / "cmdline").read_text() + str((process / "cwd").readlink())
            except OSError:
                continue
            if str(self.home) in seen or str(self.data) in seen:
                found.add(int(process.name))
        return found

    def post(self, path: str, body: dict[str, str]) -> Any:
        """Call the API."""
        return call("POST", f"{self.url}{path}", body)


@pytest.fixture
def kith(tmp_path: Path) -> Iterator[Kith]:
    run = Kith(tmp_path)
    yield run
    run.process.send_signal(signal.SIGTERM)
    run.process.wait(STOP_SECONDS)
    postgres.discard(tmp_path / "postgres")


def sign_up(kith: Kith, email: str) -> None:
    """Sign up and verify, by the mail that comes."""
    kith.post("/v1/auth/sign_ups", {"email": email, "password": PASSWORD})
    token = text_of(f"{kith.url}/mailbox/token?to={email}").strip()
    kith.post("/v1/auth/verifications", {"token": token, "password": PASSWORD})


def test_it_starts_heals_and_stops(kith: Kith) -> None:
    processes.wait_until(
        lambda: kith.says("Ctrl-C stops it"), timeout=START_SECONDS, what=f"all of {kith.log}"
    )
    assert "Kith runs on this machine" in text_of(kith.url)
    sign_up(kith, "ana@example.com")

    moved = kith.command("clock", "+2h")
    assert moved.returncode == 0, moved.stderr
    assert re.search(r"core_relay +\d+ +\d+ ", moved.stdout)
    assert "can't go back" in kith.command("clock", "--", "-2h").stderr

    refused = kith.command("run")
    assert (refused.returncode, "make stop" in refused.stderr) == (1, True)

    (app,) = [
        pid
        for pid in kith.tree()
        if b"\0serve\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
        and b"guard.py" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(app, signal.SIGKILL)
    processes.wait_until(
        lambda: kith.says("The app runs again"), timeout=HEAL_SECONDS, what="the app"
    )
    sign_up(kith, "ben@example.com")

    assert kith.command("stop").returncode == 0
    assert kith.process.wait(STOP_SECONDS) == 0
    assert kith.tree() == set()
    with pytest.raises(ClientError):
        text_of(kith.url)


def test_a_taken_port_is_named_with_its_cure(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        outcome = subprocess.run(
            [sys.executable, "-m", "local", "run"],
            cwd=REPOSITORY,
            env={**os.environ, "KITH_CLOUD_HOME": str(tmp_path), "PORT": str(port)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert outcome.returncode == 1
    assert f"port {port} is taken" in outcome.stderr
    assert "make run PORT=" in outcome.stderr
