"""Children end with us, whatever ends us."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import processes
from local.processes import PortTakenError, Process, ProcessError

REPOSITORY = Path(__file__).resolve().parents[2]

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "child.log"


@pytest.fixture
def sleeper(log: Path) -> Iterator[Process]:
    process = processes.start("a sleeper", ["sleep", "60"], log_path=log)
    yield process
    process.stop()


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has collected yet has."""
    status = Path(f"/proc/{pid}/stat")
    if status.exists():
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def wait_gone(pid: int, seconds: float = 5) -> None:
    processes.wait_until(lambda: gone(pid), timeout=seconds, what=f"end of process {pid}")


def test_prints_into_its_log_and_reports_its_status(log: Path) -> None:
    process = processes.start(
        "a shell", ["sh", "-c", "echo one; echo two >&2; exit 3"], log_path=log
    )
    assert process.wait(5) == 3
    assert process.poll() == 3
    assert log.read_text().split() == ["one", "two"]


def test_runs_in_the_given_folder_with_the_given_environment(tmp_path: Path, log: Path) -> None:
    process = processes.start(
        "a shell",
        ["/bin/sh", "-c", 'pwd; echo "$COLOUR-$HOME"'],
        environment={"COLOUR": "green"},
        cwd=tmp_path,
        log_path=log,
    )
    process.wait(5)
    assert log.read_text().split() == [str(tmp_path), "green-"]


def test_a_program_that_does_not_exist_is_named(log: Path) -> None:
    with pytest.raises(ProcessError, match=r"Moon could not be started.*no-such-program"):
        processes.start("Moon", ["no-such-program"], log_path=log)


def test_stop_ends_the_process_and_may_be_repeated(sleeper: Process) -> None:
    assert sleeper.poll() is None
    assert sleeper.stop() == 128 + signal.SIGTERM
    assert sleeper.stop() == 128 + signal.SIGTERM
    assert gone(sleeper.pid)


def test_stop_kills_what_ignores_the_polite_signal(log: Path) -> None:
    plan = ((signal.SIGTERM, 0.2),)
    process = processes.start(
        "mule", [sys.executable, "-c", STUBBORN], log_path=log, stop_plan=plan
    )
    processes.wait_until(lambda: log.read_text() != "", timeout=5, what="mule", process=process)
    assert process.stop() == 128 + signal.SIGKILL


def test_stop_ends_the_children_of_the_process_too(log: Path) -> None:
    process = processes.start("a shell", ["sh", "-c", "sleep 60 & echo $!; wait"], log_path=log)
    processes.wait_until(lambda: log.read_text() != "", timeout=5, what="shell", process=process)
    process.stop()
    wait_gone(int(log.read_text()))


def test_children_left_behind_by_a_process_that_ends_are_ended(log: Path) -> None:
    process = processes.start("a shell", ["sh", "-c", "sleep 60 & echo $!"], log_path=log)
    process.wait(10)
    wait_gone(int(log.read_text()))


def test_a_signal_reaches_the_process_itself(sleeper: Process) -> None:
    sleeper.send(signal.SIGINT)
    assert sleeper.wait(5) == 128 + signal.SIGINT
    sleeper.send(signal.SIGINT)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_the_parent(how: signal.Signals, tmp_path: Path) -> None:
    parent_code = (
        "import time; from pathlib import Path; from local import processes\n"
        f"child = processes.start('a sleeper', ['sleep', '60'], log_path=Path({str(tmp_path / 'log')!r}))\n"
        "print(child.pid, child.guard_pid, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent_code],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child, guard = map(int, parent.stdout.readline().split())
        assert not gone(child)
        parent.send_signal(how)
        parent.wait(5)
    wait_gone(child)
    wait_gone(guard)


def test_a_killed_guard_takes_the_process_along(sleeper: Process) -> None:
    os.kill(sleeper.guard_pid, signal.SIGKILL)
    assert sleeper.wait(5) == -signal.SIGKILL
    wait_gone(sleeper.pid)


def test_a_terminated_guard_stops_the_process(sleeper: Process) -> None:
    os.kill(sleeper.guard_pid, signal.SIGTERM)
    assert sleeper.wait(5) == 128 + signal.SIGTERM


def test_waiting_for_a_process_that_died_shows_the_end_of_its_log(log: Path) -> None:
    process = processes.start("x", ["sh", "-c", "echo port is bad; exit 4"], log_path=log)
    with pytest.raises(ProcessError, match=r"Mars: it ended with status 4(.|\n)*port is bad"):
        processes.wait_until(lambda: False, timeout=5, what="Mars", process=process)


def test_waiting_ends_at_the_timeout(sleeper: Process) -> None:
    started = time.monotonic()
    with pytest.raises(ProcessError, match=r"Mars: not within 0\.1 seconds"):
        processes.wait_until(lambda: False, timeout=0.1, what="Mars", process=sleeper)
    assert time.monotonic() - started < 2


def test_a_large_log_starts_anew(log: Path) -> None:
    log.parent.mkdir()
    log.write_text("x" * 6_000_000)
    processes.start("a shell", ["echo", "new"], log_path=log).wait(5)
    assert log.read_text() == "new\n"
    assert log.with_name("child.log.old").stat().st_size == 6_000_000


def test_free_ports_are_free() -> None:
    port = processes.free_port()
    assert not processes.is_taken(port)
    processes.require_free_port(port)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_names_who_has_it_and_the_way_out(address: str) -> None:
    with socket.socket() as listener:
        listener.bind((address, 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(PortTakenError) as raised:
            processes.require_free_port(port)
    assert str(raised.value).startswith(f"port {port} is taken by ")
    assert f"(process {os.getpid()}): stop it or run make run PORT=" in str(raised.value)
