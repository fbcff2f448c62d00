"""Some measurements in a process of their own: `python -m bench.process warm network`.

A measurement is a module of this folder with a `TITLE` that begins with its goal, and
`measure(world, tell) -> [Figure, …]`. Those of one process share a world: a database, the Stripe
fake and the program on them, or the `WORLD` they name. Prints a line of JSON for each thing that
happens.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from bench.figures import Tell
from tests.faults.world import World, world


def usual(_tell: Tell) -> AbstractContextManager[World]:
    """A world in which nothing is yet."""
    return world("kith_bench")


def main(names: list[str]) -> None:
    """Measure, one after the other."""
    # Tests hold answers against their schema; what is measured is what is deployed.
    os.environ["KITH_CHECK_ANSWERS"] = ""
    modules: list[Any] = [importlib.import_module(f"bench.{name}") for name in names]
    make: Callable[[Tell], AbstractContextManager[World]] = getattr(modules[0], "WORLD", usual)
    with make(_tell) as here:
        for name, module in zip(names, modules, strict=True):
            started = time.monotonic()
            _say({"told": f"{module.TITLE} …"})
            try:
                figures = [one.as_json() for one in module.measure(here, _tell)]
                failure = None
            except Exception:  # noqa: BLE001  told with the table; the next one is measured
                figures, failure = [], traceback.format_exc()
            seconds = round(time.monotonic() - started, 1)
            result = {"name": name, "title": module.TITLE, "seconds": seconds}
            _say({"result": result | {"figures": figures, "failure": failure}})


def _tell(line: str) -> None:
    _say({"told": f"  {line}"})


def _say(thing: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(thing) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
