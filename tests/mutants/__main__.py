"""`make mutants`: small faults are put into the program, one at a time; the tests must notice.

    python -m tests.mutants [--minutes 30] [--seed 1] [--workers 2] [area or file …]

More mutants than fit into the time are tried in the order of the seed. Exits with 1 if a mutant
survives that docs/mutants.csv does not list, what it lists is no mutant or dies after all, or
fewer than nine in ten die in an area.
"""

import argparse
import random
import signal
import sys

from tests.mutants import areas, ground, listing
from tests.mutants.areas import Area
from tests.mutants.gate import Gate


def chosen(names: list[str]) -> tuple[Area, ...]:
    """The areas and files of these names, all without; SystemExit for a name that is none."""
    found = []
    known = {area.name for area in areas.AREAS} | {f for area in areas.AREAS for f in area.files}
    if unknown := set(names) - known:
        raise SystemExit(f"no such area or file: {', '.join(sorted(unknown))}")
    for area in areas.AREAS:
        files = {
            file: some
            for file, some in area.files.items()
            if not names or area.name in names or file in names
        }
        if files:
            found.append(Area(area.name, files))
    return tuple(found)


def main() -> int:
    """Hunt for what is asked; the exit status."""
    parser = argparse.ArgumentParser(prog="make mutants", description="Put faults in; be noticed.")
    parser.add_argument("names", nargs="*", help="areas or files; all, unless named")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.randrange(1000))
    parser.add_argument("--workers", type=int, default=2)
    told = parser.parse_args()
    gate = Gate(
        chosen(told.names),
        listing.listed(),
        seed=told.seed,
        minutes=told.minutes,
        at_once=told.workers,
    )
    # As Ctrl-C does, so that nothing is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ground.warm() as where:
        return int(not gate.run(where))


if __name__ == "__main__":
    sys.exit(main())
