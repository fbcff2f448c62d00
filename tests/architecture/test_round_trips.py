"""What each operation costs on the wire: docs/round_trips.csv, which only falls."""

import os
import subprocess
import sys

import pytest

from chalicelib.core import operations
from tests.architecture.listings import read
from tests.architecture.round_trips import DEARER, HEADER, LIST, Cost, wrong
from tests.architecture.source import ROOT, report

PLANTED = """
import sys
from chalicelib.core.db import Connection
from chalicelib.core.driver import Call
from tests.architecture import round_trips

finish = Connection.finish

def look_again(unit):
    unit._exchange([[Call(b"select 1")]])
    finish(unit)

Connection.finish = look_again
sys.exit(round_trips.main(["moderation_blocks", "moderation_block"]))
"""


def _counted(*how: str) -> tuple[int, list[str]]:
    """What the count says, in a process and with a database of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    run = subprocess.run(
        [sys.executable, *how],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert not run.stderr, run.stderr
    return run.returncode, run.stdout.splitlines()


def test_every_operation_needs_as_many_round_trips_as_are_written() -> None:
    code, problems = _counted("-m", "tests.architecture.round_trips")
    assert not problems, report(problems)
    assert code == 0


def test_an_extra_statement_is_found() -> None:
    code, problems = _counted("-c", PLANTED)
    assert code == 1
    assert problems == [
        "moderation_block needs 3 round_trips, and may need 2",
        "moderation_blocks needs 2 round_trips, and may need 1",
    ]


@pytest.mark.usefixtures("app")
def test_a_read_needs_one() -> None:
    listed = {name: trips for name, trips, _ in read(LIST, HEADER)}
    reads = {one.name for one in operations.registered.values() if one.kind == "read"}
    assert {name for name in reads if listed[name] != "1"} == DEARER.keys()


@pytest.mark.parametrize(
    ("listed", "costs", "found"),
    [
        ([("a_get", "1", "0")], [Cost("a_get", 1, 0, 1, 1)], 0),
        ([("a_get", "1", "0")], [Cost("a_get", 2, 0, 2, 2)], 1),
        ([("a_get", "2", "0")], [Cost("a_get", 1, 0, 1, 1)], 1),
        ([("a_get", "1", "3")], [Cost("a_get", 1, 4, 1, 1)], 1),
        ([("a_get", "1", "0")], [Cost("a_get", 1, 0, 2, 1)], 1),
        ([("a_get", "1", "0")], [], 1),
        ([], [Cost("a_get", 1, 0, 1, 1)], 1),
    ],
    ids=[
        "as it is",
        "more",
        "less",
        "more in workers",
        "logged less",
        "no operation",
        "not listed",
    ],
)
def test_what_is_not_so_is_found(
    listed: list[tuple[str, ...]], costs: list[Cost], found: int
) -> None:
    assert len(wrong(listed, costs)) == found
