"""What a call left behind: the rows that came and went, and the objects that Stripe came to hold."""

from collections import Counter
from functools import cache

from chalicelib import registry
from tests.faults.world import World
from tests.support import database

# Attempts and rates are counted on purpose, sessions are the caller's own business.
_LEFT_OUT = {"core", "accounts"}
_KEPT = {"core.audit_log": "a::text", "core.outbox": "a.topic || a.payload::text"}
# What a provider told us, and how far we have listened, happens without any call of ours.
_HEARD = {"billing.webhook_events", "billing.reconciliations"}

Picture = Counter[tuple[str, str]]
Effect = dict[str, tuple[int, int]]
"""Table, or kind of Stripe's objects, to how many came and how many went; a change is both."""


@cache
def _statement() -> str:
    shown = {
        f"{table.schema}.{table.name}": "a::text"
        for table in registry.tables().sorted_tables
        if table.schema not in _LEFT_OUT and str(table) not in _HEARD
    }
    return " union all ".join(
        f"select '{name}', {what} from {name} a" for name, what in (shown | _KEPT).items()
    )


def picture(world: World) -> Picture:
    """Everything that money, credits and what they buy consist of, here and at Stripe."""
    seen: Picture = Counter(
        (str(name), str(row))
        for name, row in database.execute(_statement())
        if not str(row).startswith("billing.webhook_received")
    )
    with world.stripe.fake._fake.work() as work:  # noqa: SLF001  it lists no kind as a whole
        for kind, body in work.rows.execute("select kind, body from objects"):
            if kind != "event":
                seen[f"stripe {kind}", body] += 1
    return seen


def effect(before: Picture, after: Picture) -> Effect:
    """What changed between two pictures."""
    came: Counter[str] = Counter()
    went: Counter[str] = Counter()
    for (name, _), number in (after - before).items():
        came[name] += number
    for (name, _), number in (before - after).items():
        went[name] += number
    return {name: (came[name], went[name]) for name in sorted(came | went)}
