"""What people, providers and schedules do to the program: the flows in which processes are killed.

A domain describes its flows in a module of its name in `flows/`:

    @flow("billing_pack_bought")
    def bought(stage: Stage) -> Act:
        ana = stage.person()

        def act() -> None:
            stage.ask(ana, "POST", "/v1/billing/checkouts", PACK, key="one")

        return act

What the function does is prepared once; what it returns is acted once for each point, from the
state that was prepared. A job has a flow of its own, which names it.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.kill_stage import Stage

Act = Callable[[], None]


@dataclass(frozen=True)
class Flow:
    """A flow; `job` is the job it is about.

    `extra`: regular expressions of lines that a killed run may have more than an undisturbed one,
    because the client has to ask again without being able to tell that it was heard.
    """

    name: str
    prepare: Callable[[Stage], Act]
    job: str | None
    extra: tuple[str, ...]


_flows: dict[str, Flow] = {}
_Prepare = Callable[[Stage], Act]


def flow(
    name: str | None = None, *, job: str | None = None, extra: tuple[str, ...] = ()
) -> Callable[[_Prepare], _Prepare]:
    """Describe a flow by the function that prepares it; that of a job is called as the job is."""
    called = name or job
    if called is None:
        raise ValueError("a flow has a name or a job")

    def describe(prepare: _Prepare) -> _Prepare:
        known = _flows.setdefault(called, Flow(called, prepare, job, extra))
        if known.prepare.__code__ is not prepare.__code__:
            raise ValueError(f"two flows are called {called}")
        return prepare

    return describe


def every() -> dict[str, Flow]:
    """All flows, by name."""
    import tests.faults.flows as here  # noqa: PLC0415  its modules import this one

    for module in pkgutil.iter_modules(here.__path__):
        importlib.import_module(f"tests.faults.flows.{module.name}")
    return dict(sorted(_flows.items()))
