"""The gate: figures of a hunt, held against the list of what may survive."""

import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutants import listing, table
from tests.mutants.areas import Area
from tests.mutants.forks import Forks
from tests.mutants.hunt import SILENCE_SECONDS, Hunt, Outcome, Unfit
from tests.mutants.listing import Name
from tests.mutants.mutant import ROOT, Mutant, mutants_of
from tests.mutants.trial import Ground

_TELL_EVERY_SECONDS = 5.0


@dataclass
class Gate:
    """What is hunted, and what is allowed to survive."""

    areas: tuple[Area, ...]
    listed: dict[Name, str]
    root: Path = ROOT
    seed: int = 1
    minutes: float = 30
    at_once: int = 2
    enough: float = 0.9
    silence: float = SILENCE_SECONDS
    started: float = field(default_factory=time.monotonic)
    wrong: list[str] = field(default_factory=list)
    _told_at: float = 0.0

    def run(self, where: Ground) -> bool:
        """Hunt, tell of it, and say whether all is well."""
        tests = {file: some for area in self.areas for file, some in area.files.items()}
        mutants = [one for file in tests for one in mutants_of(file, self.root)]
        for name in listing.stale(self.listed, mutants, set(tests)):
            self.wrong.append(f"listed, but no mutant: {', '.join(name)}")
        random.Random(self.seed).shuffle(mutants)
        # What is known to survive takes longest, and tells least.
        mutants.sort(key=lambda one: one.name in self.listed)
        with tempfile.TemporaryDirectory(prefix="kith-mutants-") as folder:
            hunt = Hunt(
                tests, Forks(where, self.root, Path(folder), self.at_once), silence=self.silence
            )
            hunt.heard = lambda outcome: self._progress(hunt, outcome, len(mutants))
            try:
                self._say(f"{len(mutants):,} mutants, seed {self.seed}; the tests without one …")
                hunt.prepare()
                hunt.try_all(mutants, self.started + self.minutes * 60)
            except Unfit as error:
                self.wrong.append(str(error))
        self._judge(mutants, hunt.outcomes)
        return not self.wrong

    def _judge(self, mutants: list[Mutant], outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            is_listed = outcome.mutant.name in self.listed
            if is_listed and outcome.fate != "survived":
                name = ", ".join(outcome.mutant.name)
                self.wrong.append(f"listed, but {outcome.fate} ({outcome.by}): {name}")
            if not is_listed and outcome.fate == "survived":
                self.wrong.append(f"survived: {table.shown(outcome.mutant, self.root)}")
        for area in self.areas:
            some = [one for one in mutants if one.path in area.files]
            dead = table.figures(some, outcomes, self.listed).dead
            if dead < self.enough:
                self.wrong.append(f"{area.name}: {dead:.1%} die, {self.enough:.0%} have to")
        for one in self.wrong:
            self._say(f"\n{one}")
        self._say("\n" + "\n".join(table.table(self.areas, mutants, outcomes, self.listed)))
        if len(outcomes) < len(mutants):
            self._say(f"time for {len(outcomes):,} of {len(mutants):,}; others with another --seed")

    def _progress(self, hunt: Hunt, outcome: Outcome, of: int) -> None:
        now = time.monotonic()
        done = len(hunt.outcomes)
        new = outcome.fate == "survived" and outcome.mutant.name not in self.listed
        if not new and done != of and now - self._told_at < _TELL_EVERY_SECONDS:
            return
        self._told_at = now
        survived = sum(one.fate == "survived" for one in hunt.outcomes)
        line = f"{done:,} of {of:,}, {survived:,} survived"
        if new:
            was = f"{outcome.mutant.was[:60]} → {outcome.mutant.becomes[:60]}"
            line += f"; {outcome.mutant.path}:{outcome.mutant.line} {was}"
        self._say(line)

    def _say(self, line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        sys.stdout.write(f"[{minutes:2}:{seconds:02}] {line}\n" if line[0] != "\n" else f"{line}\n")
        sys.stdout.flush()
