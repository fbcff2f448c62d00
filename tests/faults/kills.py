"""Processes killed at every point of every flow: what they were doing is done once all the same.

A flow is acted by a process that dies at its first point, then by one that dies at its second, and
so on until one comes to the end. After each death the world goes on (kill_stage.py), and then
everything has to be as if nobody had died: rows, money at Stripe, mails.

What may differ, and where: a mail goes out twice when its process died after the mail service had
taken it and before that was on record. A flow whose request bears no key says what a client leaves
behind who has to ask again, not knowing whether it was heard (`extra` in flows/).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from tests.faults import kill_flows, kill_plants
from tests.faults.kill_flows import Act, Flow
from tests.faults.kill_plants import Plant
from tests.faults.kill_processes import KillWorld, kill_world
from tests.faults.kill_stage import Stage, WentWrong
from tests.faults.kill_state import Kept, State, stuck, unsound
from tests.faults.proof import Findings, Planted, Proof
from tests.faults.world import World

T = TypeVar("T")

WORLD = kill_world

_ALL = 100_000
_A_FLOW = 6
_A_PLANT = 8
_UNDISTURBED_MINUTES = 6
_LONGEST_MINUTES = 15


@dataclass
class Trial:
    """A flow on its stage, and what comes of it undisturbed."""

    flow: Flow
    stage: Stage
    kept: Kept
    act: Act
    right: State
    points: list[str]

    @classmethod
    def of(cls, flow: Flow, stage: Stage) -> "Trial":
        """Prepare a flow, and act it undisturbed."""
        act = flow.prepare(stage)
        kept = stage.begin()
        with stage.acted(kept, 0):
            act()
            points = stage.passed()
            stage.relieve()
            for _ in range(_UNDISTURBED_MINUTES):
                stage.minute()
            right = kept.state(stage.cloud.mails)
        return cls(flow, stage, kept, act, right, points)

    def killed_at(self, point: int) -> tuple[bool, int, list[str]]:
        """Whether anybody died, how many minutes it took to heal, and what is wrong then."""
        with self.stage.acted(self.kept, point):
            try:
                self.act()
                if not self.stage.deaths:
                    self.stage.relieve()
                minutes = self._healed()
                if minutes == _LONGEST_MINUTES:
                    return True, minutes, ["it does not heal", *self._wrong()]
                if self.stage.deaths:
                    self.stage.repeat_everything()
            except WentWrong as error:
                return True, 0, [str(error)]
            return bool(self.stage.deaths), minutes, [*self._wrong(), *stuck(), *unsound()]

    def _healed(self) -> int:
        for minute in range(_LONGEST_MINUTES):
            if not self._wrong():
                return minute
            self.stage.minute()
        return _LONGEST_MINUTES

    def _wrong(self) -> list[str]:
        found = self.kept.state(self.stage.cloud.mails)
        lost, more = self.right - found, found - self.right
        more -= Counter(f"mail to {one.recipient}: {one.subject}" for one in self.stage.may_repeat)
        surplus = [one for one in more if not self._is_extra(one)]
        return [*(f"lost: {one}" for one in lost), *(f"too much: {one}" for one in surplus)]

    def _is_extra(self, line: str) -> bool:
        return any(re.match(one, line) for one in self.flow.extra)


def _run(world: World, tries: int, findings: Findings) -> None:
    assert isinstance(world, KillWorld)
    plant = kill_plants.planted()
    flows = kill_flows.every()
    every = tries >= _ALL
    wanted = [flows[plant.flow]] if plant else [*flows.values()]
    if not plant and not every:
        wanted = _spread(wanted, tries // _A_FLOW)
    longest = 0
    for at, flow in enumerate(wanted, 1):
        stage = Stage(world, plant=plant.name if plant else None)
        trial = Trial.of(flow, stage)
        for point in _points(trial, plant, tries, every=every):
            died, minutes, wrong = trial.killed_at(point)
            longest = max(longest, minutes)
            if wrong:
                where = "; ".join(stage.deaths) or "nobody died"
                findings.hold(False, f"{flow.name}, {where}: {' | '.join(wrong)[:2000]}")
                if plant:
                    break
            if not died:
                break
            findings.count("kills")
        stage.end()
        trial.kept.put_back()
        trial.kept.forget()
        world.empty()
        findings.count("flows")
        findings.progress(at, len(wanted), f"flows, {findings.tried.get('kills', 0):,} kills")
    findings.measure("healed within", f"{longest} min")


def _points(trial: Trial, plant: Plant | None, tries: int, *, every: bool) -> Iterable[int]:
    """Which points to die at: all until nobody dies any more, or some of those there are."""
    if every:
        return _without_end()
    known = range(1, len(trial.points) + 1)
    if plant:
        return [at for at in known if trial.points[at - 1] in plant.points][:tries]
    return _spread([*known], _A_FLOW)


def _without_end() -> Iterator[int]:
    point = 0
    while True:
        point += 1
        yield point


def _spread(things: list[T], count: int) -> list[T]:
    """So many of the things, evenly."""
    step = max(1.0, len(things) / max(1, count))
    return [things[int(at * step)] for at in range(min(count, len(things)))]


PROOFS = (
    Proof(
        "kills.every_point",
        "Whatever moment a process is killed at, what it was doing is done, and done once.",
        _run,
        full=_ALL,
        short=60,
        planted=tuple(
            Planted(plant.name, plant.active, tries=_A_PLANT)
            for plant in kill_plants.PLANTS.values()
        ),
    ),
)
