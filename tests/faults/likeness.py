"""The state of the database, told so that two that came to be in different ways can be compared.

Ids, hashes and sealed bytes that were made on the way are random, and mails have numbers: they
count as alike.
"""

import re
from collections import Counter
from functools import cache

from chalicelib import registry
from tests.support import database

State = dict[str, Counter[str]]

# Refused tries are counted apart from what they wanted.
_LEFT_OUT = {"core.rate_limits"}

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_RANDOM = re.compile(r"\\\\x[0-9a-f]*|\b[0-9a-f]{64}\b|\bmail-\d+\b")


@cache
def _statement() -> str:
    names = [f"{table.schema}.{table.name}" for table in registry.tables().sorted_tables]
    return " union all ".join(
        f"select '{name}', to_jsonb(t)::text from {name} t"
        for name in names
        if name not in _LEFT_OUT
    )


def known_ids() -> frozenset[str]:
    """Every id there is."""
    return frozenset(
        one for _, row in database.execute(_statement()) for one in _ID.findall(str(row))
    )


def state(known: frozenset[str]) -> State:
    """Each table's rows, with the ids that were known before and none that came since."""
    found: State = {}
    for name, row in database.execute(_statement()):
        text = _RANDOM.sub("random", str(row))
        text = _ID.sub(lambda one: one[0] if one[0] in known else "new", text)
        found.setdefault(str(name), Counter())[text] += 1
    return found


def difference(one: State, other: State) -> list[str]:
    """What differs, a line for each table."""
    told = []
    for name in sorted(one.keys() | other.keys()):
        less, more = one.get(name, Counter()), other.get(name, Counter())
        if less != more:
            missing, surplus = less - more, more - less
            told.append(
                f"{name}: {missing.total()} rows missing {_first(missing)},"
                f" {surplus.total()} too many {_first(surplus)}"
            )
    return told


def _first(rows: Counter[str]) -> str:
    return next(iter(rows), "")[:300]
