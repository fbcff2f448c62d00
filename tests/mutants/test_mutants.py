"""The hunt on a small program of its own: what dies, what survives, and what makes it red."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants import listing
from tests.mutants.areas import AREAS
from tests.mutants.mutant import ROOT, mutants_of

PROGRAM = """
def larger(one: int, other: int) -> int:
    return one if one > other else other
"""
TESTS = """
import mini

def test_the_larger_one():
    assert (mini.larger(1, 2), mini.larger(2, 1)) == (2, 2)

def test_it_is_there():
    assert mini
"""
EQUAL = ("mini.py", "larger", "return one if one > other else other")
HARMLESS = (*EQUAL, "return one if one >= other else other")
FATAL = (*EQUAL, "return None")

HUNT = """
import sys
from pathlib import Path
from tests.mutants.areas import Area
from tests.mutants.gate import Gate
from tests.mutants.listing import listed

class Bare:
    def plugins(self, slot):
        return []

root, silence, *tests = sys.argv[1:]
gate = Gate(
    (Area("mini", {"mini.py": tuple(tests)}),),
    listed(Path(root) / "listed.csv"),
    root=Path(root),
    enough=0.5,
    silence=float(silence),
)
sys.exit(not gate.run(Bare()))
"""


class Small:
    """A program of one file, its tests, and the list of what may survive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("pytest.ini", "[pytest]\npythonpath = .\n")
        self.write("mini.py", PROGRAM)
        self.write("test_mini.py", TESTS)
        self.list()

    def write(self, name: str, text: str) -> None:
        """Put a file there."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def list(self, *names: tuple[str, str, str, str]) -> None:
        """List what may survive."""
        with (self.folder / "listed.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "place", "was", "becomes", "reason"])
            writer.writerows([*name, "Equal numbers are equally large"] for name in names)

    def hunted(self, *tests: str, silence: float = 60) -> tuple[int, str]:
        """The exit status of a hunt, and what it told."""
        command = [sys.executable, "-c", HUNT, str(self.folder), str(silence), *tests]
        ended = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )
        assert not ended.stderr
        assert not ended.stderr, ended.stderr
        return ended.returncode, ended.stdout


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """A small program."""
    return Small(tmp_path)


def figures(told: str) -> list[int]:
    """Mutants, tried, killed, not starting, hanging, listed, new."""
    line = next(line for line in told.splitlines() if line.startswith("mini "))
    return [int(word) for word in line.split()[1:-1]]


def test_a_mutant_dies_and_one_that_survives_is_shown_and_refused(small: Small) -> None:
    status, told = small.hunted("test_mini.py")
    assert (status, figures(told)) == (1, [2, 2, 1, 0, 0, 0, 1])
    assert "-    return one if one > other else other" in told
    assert "+    return one if one >= other else other" in told


def test_a_survivor_that_is_listed_is_accepted(small: Small) -> None:
    small.list(HARMLESS)
    status, told = small.hunted("test_mini.py")
    assert (status, figures(told)) == (0, [2, 2, 1, 0, 0, 1, 0])


def test_a_test_that_is_taken_away_is_missed(small: Small) -> None:
    small.list(HARMLESS)
    status, told = small.hunted("test_mini.py::test_it_is_there")
    assert (status, figures(told)) == (1, [2, 2, 0, 0, 0, 1, 1])
    assert "+    return None" in told


def test_a_list_of_what_dies_or_is_no_mutant_is_refused(small: Small) -> None:
    nothing = (*EQUAL, "return one if one = other else other")
    small.list(HARMLESS, FATAL, nothing)
    status, told = small.hunted("test_mini.py")
    assert status == 1
    assert "listed, but killed (test_mini.py::test_the_larger_one)" in told
    assert f"listed, but no mutant: {', '.join(nothing)}" in told


def test_tests_that_fail_by_themselves_or_never_load_what_is_mutated_are_refused(
    small: Small,
) -> None:
    small.write("test_other.py", "def test_nothing(): pass\n")
    status, told = small.hunted("test_other.py")
    assert status == 1
    assert "the tests of mini.py never load it" in told
    small.write("test_mini.py", f"{TESTS}\n    assert mini.larger(1, 2) == 1\n")
    status, told = small.hunted("test_mini.py")
    assert status == 1
    assert "without a mutant, test_mini.py does not pass" in told


def test_a_mutant_that_hangs_is_dead_once_it_hung_twice(small: Small) -> None:
    small.write("mini.py", "def down(n: int) -> int:\n    while n:\n        n -= 1\n    return n\n")
    small.write(
        "test_mini.py", "import mini\n\ndef test_down():\n    assert mini.down(3) == mini.down(4)\n"
    )
    status, told = small.hunted("test_mini.py", silence=3)
    assert (status, figures(told)) == (1, [4, 4, 1, 0, 2, 0, 1])


def test_what_runs_when_a_module_is_loaded_is_mutated_too(small: Small) -> None:
    small.write("mini.py", "from math import nan\nBOUND = 10\nassert nan != nan\n")
    small.write("test_mini.py", "import mini\n\ndef test_bound():\n    assert mini.BOUND == 10\n")
    status, told = small.hunted("test_mini.py")
    assert (status, figures(told)) == (0, [2, 2, 1, 1, 0, 0, 0])


def test_what_is_listed_is_a_mutant_with_a_reason() -> None:
    files = {file for area in AREAS for file in area.files}
    known = listing.listed()
    assert {name[0] for name in known} <= files
    mutants = [one for file in sorted(files) for one in mutants_of(file)]
    assert not listing.stale(known, mutants, files)


def test_every_file_that_is_mutated_has_tests() -> None:
    for area in AREAS:
        for file, tests in area.files.items():
            assert (ROOT / file).exists()
            assert tests
            assert all((ROOT / one.partition("::")[0]).exists() for one in tests), file
