"""The README's tour, run exactly as printed against everything that `make run` starts."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import processes

README = Path("README.md")
PRINTED_ADDRESS = "http://127.0.0.1:8000"
MARK = "--- answer ---"
START_SECONDS = 90
TOUR_SECONDS = 60


def steps(readme: str) -> list[tuple[str, str | None]]:
    """The tour's commands, each with what the README says it answers."""
    section = readme.partition("## The tour")[2].partition("\n## ")[0]
    found: list[tuple[str, str | None]] = []
    for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL):
        for line in block.strip().splitlines():
            if line.startswith("# "):
                found[-1] = (found[-1][0], line.removeprefix("# "))
            else:
                found.append((line, None))
    return found


def pattern(printed: str) -> str:
    """What an answer has to match: as printed, but for what stands behind an ellipsis."""
    return ".*".join(re.escape(part) for part in printed.split("…"))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A whole local cloud of its own, on a port of its own."""
    home = tmp_path_factory.mktemp("cloud")
    port = processes.free_port()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KITH_", "STRIPE_", "AWS_", "DATABASE_"))
    } | {"KITH_CLOUD_HOME": str(home), "PORT": str(port)}
    with (home / "run.log").open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "local", "run"],
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


def wait_until_ready(running: subprocess.Popen[bytes], output: Path) -> None:
    """Until it says where it runs, which is the last it says of starting."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and running.poll() is None:
        if "Kith runs at" in output.read_text():
            return
        time.sleep(0.1)
    pytest.fail(f"make run is not ready:\n{output.read_text()[-3000:]}")


def test_every_line_of_the_tour_answers_as_printed(address: str) -> None:
    tour = steps(README.read_text(encoding="utf-8"))
    assert len(tour) > 15
    script = "\n".join(f"{command}\necho; echo '{MARK}'" for command, _ in tour)
    run = subprocess.run(
        ["bash", "-c", script.replace(PRINTED_ADDRESS, address)],
        capture_output=True,
        text=True,
        timeout=TOUR_SECONDS,
        check=False,
    )
    answers = [part.strip() for part in run.stdout.split(MARK)]
    for (command, printed), answer in zip(tour, answers, strict=False):
        if printed is not None:
            assert re.fullmatch(pattern(printed), answer, re.DOTALL), f"{command}\n→ {answer}"
    assert len(answers) == len(tour) + 1, run.stderr
