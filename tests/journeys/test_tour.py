"""The README's tour and the guide to the API, run exactly as printed against what `make run` starts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import postgres, processes
from tests.support import printed

README, GUIDE = Path("README.md"), Path("docs/api.md")
START_SECONDS = 90
TOUR_SECONDS = 60


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A whole local cloud of its own, on a port of its own, whose code stays as it is."""
    home = tmp_path_factory.mktemp("cloud")
    port = processes.free_port()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KITH_", "STRIPE_", "AWS_", "DATABASE_"))
    } | {"KITH_CLOUD_HOME": str(home), "PORT": str(port)}
    with (home / "run.log").open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "local", "run", "--no-reload"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_ready(running, home / "run.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(timeout=30)
            postgres.discard(home / "postgres")


def wait_until_ready(running: subprocess.Popen[bytes], output: Path) -> None:
    """Until it says where it runs, which is the last it says of starting."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and running.poll() is None:
        if "Kith runs at" in output.read_text():
            return
        time.sleep(0.1)
    pytest.fail(f"make run is not ready:\n{output.read_text()[-3000:]}")


def test_every_line_of_the_tour_answers_as_printed(address: str) -> None:
    tour = printed.steps(printed.section(README, "The tour"))
    assert len(tour) > 15
    printed.run(tour, address, TOUR_SECONDS)


def test_every_line_of_the_guide_answers_as_printed(address: str) -> None:
    guide = printed.steps(GUIDE.read_text(encoding="utf-8"))
    assert len(guide) > 100
    printed.run(guide, address, TOUR_SECONDS)
