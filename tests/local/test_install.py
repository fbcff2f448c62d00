"""The installer: quick when there is nothing to do, whole again after anything, plain in words."""

import ast
import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import install, paths, progress
from local.install import InstallError

REPOSITORY = Path(__file__).resolve().parents[2]


def make_wheel(folder: Path, version: str) -> str:
    """A package of one line; returns its line for a requirements file, with its hash."""
    file = folder / f"kith_tiny-{version}-py3-none-any.whl"
    record = f"kith_tiny-{version}.dist-info"
    contents = {
        "kith_tiny.py": f"version = '{version}'\n",
        f"{record}/METADATA": f"Metadata-Version: 2.1\nName: kith-tiny\nVersion: {version}\n",
        f"{record}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for name, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        lines.append(f"{name},sha256={digest.decode()},{len(text)}")
    contents[f"{record}/RECORD"] = "\n".join([*lines, f"{record}/RECORD,,", ""])
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in contents.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    wheel_hash = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"kith-tiny=={version} --hash=sha256:{wheel_hash}\n"


def use_own_packages(monkeypatch: pytest.MonkeyPatch, wheels: Path) -> None:
    """Have pip know the packages of a folder only, whatever this machine sets, and no network."""
    for name in os.environ:
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))


def installed_version(environment: Path) -> str:
    code = "import kith_tiny; print(kith_tiny.version)"
    python = environment / "bin" / "python"
    return subprocess.check_output([python, "-I", "-c", code], text=True).strip()


def run_from_elsewhere(clone: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(clone / "local" / "install.py"), "--only", "cloud"]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")


@pytest.fixture(scope="module")
def installed_clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone, with a space in its path, whose emulator needs one package; it is installed."""
    folder = tmp_path_factory.mktemp("clone")
    clone = folder / "my clone"
    (clone / "local").mkdir(parents=True)
    for name in ("__init__.py", "install.py", "paths.py", "progress.py"):
        shutil.copy(REPOSITORY / "local" / name, clone / "local")
    (clone / "requirements-cloud.txt").write_text(make_wheel(folder, "1.0"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_own_packages(monkeypatch, folder)
        done = run_from_elsewhere(clone)
        assert (done.returncode, done.stderr) == (0, "")
        assert "AWS emulator ............. installed in " in done.stdout
        assert done.stdout.count("\n") == 1
        yield clone


def test_a_clone_is_installed_once(installed_clone: Path) -> None:
    environment = installed_clone / ".cloud" / "aws-venv"
    assert installed_version(environment) == "1.0"
    started = time.monotonic()
    done = run_from_elsewhere(installed_clone)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # A tenth of that, on a machine with nothing else to do.
    assert time.monotonic() - started < 1
    assert not (installed_clone / ".venv").exists()


@pytest.fixture
def tiny(
    installed_clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> install.Environment:
    """An environment of one package, made quickly: an empty one is a copy of a finished one."""
    use_own_packages(monkeypatch, tmp_path)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(make_wheel(tmp_path, "1.0"))
    environment = install.Environment("Tiny", tmp_path / "tiny-venv", [])
    environment.files = [requirements]

    def copy(made: install.Environment, _lock: int, _step: progress.Step) -> None:
        shutil.rmtree(made.folder, ignore_errors=True)
        shutil.copytree(installed_clone / ".cloud" / "aws-venv", made.folder, symlinks=True)
        (made.folder / ".complete").unlink()
        for each in made.folder.glob("lib/*/site-packages/kith_tiny*"):
            shutil.rmtree(each) if each.is_dir() else each.unlink()

    monkeypatch.setattr(install, "make_empty", copy)
    monkeypatch.setattr(install, "CHOICES", {"cloud": [environment]})
    monkeypatch.setattr(paths, "REPOSITORY", tmp_path)
    return environment


def test_a_changed_or_interrupted_environment_is_made_anew(tiny: install.Environment) -> None:
    assert install.main(["--only", "cloud"]) == 0
    (tiny.folder / "leftover").touch()
    tiny.files[0].write_text(make_wheel(tiny.files[0].parent, "1.1"))
    assert install.main(["--only", "cloud"]) == 0
    assert installed_version(tiny.folder) == "1.1"
    assert not (tiny.folder / "leftover").exists()
    # What an interrupted one looks like: some files, and no stamp.
    (tiny.folder / ".complete").unlink()
    for file in tiny.folder.rglob("kith_tiny.py"):
        file.write_text("")
    assert install.main(["--only", "cloud"]) == 0
    assert installed_version(tiny.folder) == "1.1"


def test_without_network_it_says_what_to_do_and_tries_again_next_time(
    tiny: install.Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    good = tiny.files[0].read_text()
    tiny.files[0].write_text("kith-absent==3.0 --hash=sha256:" + "0" * 64)
    assert install.main(["--only", "cloud"]) == 1
    said = capsys.readouterr()
    assert "Tiny ..................... failed after" in said.out
    assert "Tiny: not installed." in said.err
    assert "No matching distribution found for kith-absent==3.0" in said.err
    assert "The package index can't be reached. Look at the network" in said.err
    assert not install.is_complete(tiny)
    tiny.files[0].write_text(good)
    assert install.main(["--only", "cloud"]) == 0


def test_a_package_with_another_hash_is_refused(
    tiny: install.Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.files[0].write_text("kith-tiny==1.0 --hash=sha256:" + "0" * 64)
    assert install.main(["--only", "cloud"]) == 1
    assert "A file is not the one that requirements*.txt records." in capsys.readouterr().err


@pytest.mark.parametrize("linked", ["cloud/venv", "cloud"])
def test_nothing_is_emptied_through_a_symbolic_link(
    tiny: install.Environment, linked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = paths.REPOSITORY.parent / f"{paths.REPOSITORY.name}-elsewhere"
    theirs = elsewhere / Path("cloud/venv").relative_to(linked)
    theirs.mkdir(parents=True)
    for name in ("precious", ".complete"):
        (theirs / name).write_text("theirs")
    link = paths.REPOSITORY / linked
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    tiny.folder = paths.REPOSITORY / "cloud" / "venv"
    assert install.main(["--only", "cloud"]) == 1
    assert f"{link} is a symbolic link, to {elsewhere}." in capsys.readouterr().err
    assert {each.name for each in theirs.iterdir()} == {"precious", ".complete"}
    link.unlink()
    assert install.main(["--only", "cloud"]) == 0
    assert (theirs / "precious").read_text() == "theirs"


def test_a_linked_environment_that_is_whole_is_used(tiny: install.Environment) -> None:
    assert install.main(["--only", "cloud"]) == 0
    moved = tiny.folder.rename(paths.REPOSITORY / "another-disk")
    tiny.folder.symlink_to(moved)
    assert install.main(["--only", "cloud"]) == 0
    assert tiny.folder.is_symlink()


def test_two_installations_take_turns(
    tiny: install.Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    lock_path = paths.REPOSITORY / ".cloud" / "install.lock"
    lock_path.parent.mkdir()
    with lock_path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = threading.Thread(target=install.main, args=(["--only", "cloud"],))
        second.start()
        time.sleep(0.2)
        assert capsys.readouterr().out == (
            "Another installation is running here: waiting for it to end.\n"
        )
        # The first one, the holder of the lock, gets it done.
        (tiny.folder / "bin").mkdir(parents=True)
        (tiny.folder / "bin" / "python").touch()
        (tiny.folder / ".complete").write_text(tiny.digest())
    second.join(5)
    assert capsys.readouterr().out == ""


def test_runtime_is_part_of_dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    files = [tmp_path / "requirements.txt", tmp_path / "requirements-dev.txt"]
    runtime, dev = (install.Environment("x", tmp_path, []) for _ in range(2))
    runtime.files, dev.files = files[:1], files
    monkeypatch.setattr(install, "RUNTIME", runtime)
    monkeypatch.setattr(install, "DEV", dev)
    assert not install.is_complete(runtime)
    (tmp_path / ".complete").write_text(dev.digest())
    assert install.is_complete(dev)
    assert install.is_complete(runtime)
    (tmp_path / ".complete").write_text(runtime.digest())
    assert install.is_complete(runtime)
    assert not install.is_complete(dev)
    (tmp_path / "bin" / "python").unlink()
    assert not install.is_complete(runtime)


def test_python_that_cannot_make_environments_is_named_with_its_cure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "venv" or None)
    with pytest.raises(InstallError, match=r"(?s)apt-get install python3-venv.*brew install"):
        install.require_venv()


def test_an_old_python_hands_over_to_a_newer_one_or_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(install, "OLDEST_PYTHON", (3, 99))
    monkeypatch.setattr(install, "_NEWEST_MINOR", 99)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InstallError, match=r"(?s)3\.99 or later is needed.*apt-get.*brew"):
        install.require_python()
    newer = tmp_path / "python3.99"
    newer.write_text("#!/bin/sh\nexit 0\n")
    newer.chmod(0o755)
    handed_over: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda path, arguments: handed_over.append([path, *arguments]))
    with pytest.raises(InstallError):
        install.require_python()
    assert handed_over[0][:2] == [str(newer), str(newer)]


@pytest.mark.parametrize("name", ["install.py", "paths.py", "progress.py"])
def test_an_old_python_can_read_it_far_enough_to_say_so(name: str) -> None:
    ast.parse((REPOSITORY / "local" / name).read_text(), feature_version=(3, 7))
