"""Every statement of the program, planned and run among a million rows: how much of them it reads."""

from bench import full
from bench.figures import Figure, Tell
from tests.faults import heard, plans
from tests.faults.world import World

TITLE = "Plans Every statement at a million rows"
WORLD = full.million
_EVERY = 50


def measure(here: World, tell: Tell) -> list[Figure]:
    """How many read a large table whole, and the most that one reads."""

    def told(done: int, of: int, what: str) -> None:
        if done % _EVERY == 0:
            tell(f"{done} of {of} {what}")

    said = heard.everything(here, lambda done, of: told(done, of, "operations called"))
    url = here.server.admin_url(full.DATABASE)
    found = plans.look(url, said, lambda done, of: told(done, of, "statements"))
    for one in found.whole:
        tell(f"reads much: {one}")
    tell(f"reads most: {found.most_by}")
    return [
        Figure("statements", found.statements),
        Figure("that read a large table whole", len(found.whole), bound=0),
        Figure("that may, by name and reason", found.excepted),
        Figure("most rows read by one", found.most, bound=plans.MOST_SEARCHED),
    ]
