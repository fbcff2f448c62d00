"""Round trips, counted on the wire: what docs/round_trips.csv publishes, once more."""

from bench.figures import Figure, Tell
from chalicelib.core import operations
from tests.architecture import round_trips
from tests.architecture.listings import read
from tests.architecture.round_trips import DEARER, HEADER, LIST
from tests.faults.world import World

TITLE = "P1 Round trips, warm, COMMIT included, without the rate limit's own"
_EVERY = 25


def measure(here: World, tell: Tell) -> list[Figure]:
    """The dearest of each kind, and of all together."""
    found = []
    for number, one in enumerate(round_trips.costs(here), 1):
        found.append(one)
        if number % _EVERY == 0:
            tell(f"{number} of {len(operations.registered)} operations")
    kinds = {
        kind: [
            one.round_trips
            for one in found
            if operations.registered[one.operation].kind == kind and one.operation not in DEARER
        ]
        for kind in ("read", "write", "call")
    }
    listed = read(LIST, HEADER)
    published = sum(int(trips) for _, trips, _ in listed)
    in_workers = sum(int(trips) for *_, trips in listed)
    return [
        Figure(f"most for one of {len(kinds['read'])} reads", max(kinds["read"]), bound=1),
        Figure("reads that also write a line, or open what is sealed", len(DEARER)),
        Figure("least for a write", min(kinds["write"]), bound=2),
        Figure("writes that need no more", kinds["write"].count(2)),
        Figure("writes that do", sum(trips > 2 for trips in kinds["write"])),
        Figure("most for a call that waits for a provider", max(kinds["call"])),
        Figure("all operations", sum(one.round_trips for one in found), bound=published),
        Figure("their workers", sum(one.in_workers for one in found), bound=in_workers),
    ]
