"""What each job finds to do, and what it is to have done: what proofs of every job stand on.

A domain describes the work of its jobs in a module of its name beside this one:

    @work("marketplace_domains_recheck")
    def domains_to_look_at(day: Day) -> Due:
        ...
        return Due({"domains asked about": 3}, lambda: {"domains asked about": asked()}, rows=3)

The function leaves work behind that is due at the end of it, and may be called any number of
times, each time in a world that is empty.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chalicelib.core import jobs
from tests.faults.described.scene import Scene
from tests.support.times import Times

Effects = Mapping[str, int]


@dataclass
class Day(Scene):
    """People and things for a job to be about, and the clock that makes them due."""

    times: Times


@dataclass(frozen=True)
class Due:
    """Work that waits: how many effects of which kind it is to have, and how many it has had.

    `effects` looks, and may hand queued messages to their workers for that. `rows` is how many
    the job counts, where it counts each batch with it. `rings` marks an alarm, which may ring
    twice when its job was cut off, but must not stay silent.
    """

    wanted: Effects
    effects: Callable[[], Effects]
    rows: int | None = None
    rings: bool = False


Prepare = Callable[[Day], Due]
_works: dict[str, Prepare] = {}


def work(job: str) -> Callable[[Prepare], Prepare]:
    """Describe what a job finds to do by the function that leaves it to be done."""

    def describe(prepare: Prepare) -> Prepare:
        known = _works.setdefault(job, prepare)
        if known.__code__ is not prepare.__code__:
            raise ValueError(f"the work of {job} is described twice")
        return prepare

    return describe


def every() -> dict[str, Prepare]:
    """The work of every job, by job; ValueError for the work of a job that is none."""
    import tests.faults.work as here  # noqa: PLC0415  itself, when it is whole

    for module in pkgutil.iter_modules(here.__path__):
        importlib.import_module(f"tests.faults.work.{module.name}")
    if unknown := _works.keys() - jobs.registered.keys():
        raise ValueError(f"work of no job: {sorted(unknown)}")
    return dict(sorted(_works.items()))
