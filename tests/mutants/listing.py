"""docs/mutants.csv: the mutants that no test notices, each with the reason why none has to."""

import csv
from pathlib import Path
from typing import NamedTuple

from tests.mutants.mutant import ROOT, Mutant

LISTING = ROOT / "docs" / "mutants.csv"
COLUMNS = ["file", "place", "was", "becomes", "reason"]

Name = tuple[str, str, str, str]


class Listed(NamedTuple):
    """A mutant that may survive."""

    name: Name
    reason: str


def listed(path: Path = LISTING) -> dict[Name, str]:
    """Mutant to reason; ValueError for one without a reason, or that stands there twice."""
    found: dict[Name, str] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = (row["file"], row["place"], row["was"], row["becomes"])
            if name in found or not row["reason"]:
                raise ValueError(f"listed twice or without a reason: {name}")
            found[name] = row["reason"]
    return found


def stale(known: dict[Name, str], mutants: list[Mutant], files: set[str]) -> list[Name]:
    """What is listed of these files, and no mutant any more."""
    there = {one.name for one in mutants}
    return [name for name in known if name[0] in files and name not in there]


def write(rows: list[tuple[Name, str]], path: Path = LISTING) -> None:
    """Write the list, in order."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([*name, reason] for name, reason in sorted(rows))
