"""The figures of a hunt: a table by file and area, and what survived, as diffs."""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.areas import Area
from tests.mutants.hunt import Outcome
from tests.mutants.listing import Name
from tests.mutants.mutant import Mutant, difference


@dataclass(frozen=True)
class Figures:
    """How many mutants there are, were tried and died; how many survive as listed, or are new."""

    mutants: int
    tried: int
    killed: int
    hang: int
    not_starting: int
    listed: int
    new: int

    @property
    def dead(self) -> float:
        """The share that dies. What was not tried is taken to do as what was, or as listed."""
        unlisted = self.mutants - self.listed
        tried = self.killed + self.hang + self.not_starting + self.new
        survivors = self.listed + (unlisted * self.new / tried if tried else 0)
        return 1 - survivors / self.mutants if self.mutants else 1.0

    @property
    def line(self) -> str:
        """The figures in columns."""
        return (
            f"{self.mutants:7,} {self.tried:6,} {self.killed:7,} {self.not_starting:9,}"
            f" {self.hang:6,} {self.listed:7,} {self.new:5,} {self.dead:7.1%}"
        )


HEAD = f"{'':58} mutants  tried  killed  no start  hangs  listed   new    dead"


def figures(
    mutants: Iterable[Mutant], outcomes: Iterable[Outcome], listed: dict[Name, str]
) -> Figures:
    """The figures of some mutants."""
    every = {one.name for one in mutants}
    came = [one for one in outcomes if one.mutant.name in every]
    fates = Counter(one.fate for one in came)
    new = [one for one in came if one.fate == "survived" and one.mutant.name not in listed]
    return Figures(
        mutants=len(every),
        tried=len(came),
        killed=fates["killed"],
        hang=fates["hangs"],
        not_starting=fates["does not start"],
        listed=len(every & listed.keys()),
        new=len(new),
    )


def table(
    areas: Iterable[Area], mutants: list[Mutant], outcomes: list[Outcome], listed: dict[Name, str]
) -> list[str]:
    """A line for each file and each area."""
    lines = [HEAD]
    for area in areas:
        for file in area.files:
            some = [one for one in mutants if one.path == file]
            lines.append(f"  {file:56} {figures(some, outcomes, listed).line}")
        some = [one for one in mutants if one.path in area.files]
        lines.append(f"{area.name:58} {figures(some, outcomes, listed).line}\n")
    return lines


def shown(mutant: Mutant, root: Path) -> str:
    """A mutant as a diff, and as a row of the list that lacks its reason."""
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow([*mutant.name, ""])
    return f"{mutant.path}:{mutant.line}\n{difference(mutant, root)}\nlist it as: {row.getvalue()}"
