"""All that the database holds, to be compared."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from chalicelib import registry
from tests.support import database

# A refused try counts against its rate, and that is all it leaves behind.
_COUNTED = {"core.rate_limits"}


@cache
def _statement() -> str:
    names = [f"{table.schema}.{table.name}" for table in registry.tables().sorted_tables]
    return " union all ".join(
        f"select '{name}', md5(string_agg(t::text, '|' order by t::text)) from {name} t"
        for name in names
        if name not in _COUNTED
    )


def fingerprints() -> dict[str, str | None]:
    """Each table, and a digest of all its rows."""
    return dict(database.execute(_statement()))


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Hold that what happens within leaves every row as it was."""
    before = fingerprints()
    yield
    after = fingerprints()
    changed = [name for name in before if before[name] != after[name]]
    assert not changed, f"changed: {', '.join(changed)}"
