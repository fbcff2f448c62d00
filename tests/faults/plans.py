"""How much of a large table the program's statements read, in a database as it is after years."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Text, bindparam, func, select, update

from chalicelib.core import limits
from chalicelib.core.statements import command
from chalicelib.kernel.billing.checkouts import queries
from chalicelib.kernel.billing.tables import checkouts
from chalicelib.products.marketplace.discovery.queries import WALKED
from local import postgres
from tests.faults import heard
from tests.faults.heard import Heard
from tests.faults.planner import Planner
from tests.faults.proof import Findings, Planted, Proof
from tests.faults.world import World, replaced, world
from tests.support import database, volume

DATABASE = "kith_years"
MOST_READ = 1_000
"""Rows of a large table that a statement may look at. A page has 50 at most, a batch 1,000."""
MOST_SEARCHED = 3 * WALKED
"""The same for a search of posts: a walk, what is left of it, and what of a rare kind is taken."""

_SEARCH = "marketplace_posts_search"
WHOLE = {
    "billing_invariants_invariants": "the books are held against each other whole, once a day",
}
"""Who may read large tables whole, and why."""


@dataclass
class Years(World):
    """The usual world, whose tables fill up and are not emptied in between."""

    rows: int = 0
    heard: Heard | None = field(default=None)

    def empty(self) -> None:
        """Forget what is not in the tables."""
        limits.forget()

    def pass_by(self, rows: int, findings: Findings) -> Heard:
        """Have so many rows in every table that grows; what the program says, heard once."""
        if self.rows < rows:
            url = self.server.admin_url(DATABASE)
            volume.fill(url, rows, findings.tell, first=self.rows + 1)
            self.rows = rows
        if self.heard is None:
            self.heard = heard.everything(
                self, lambda done, of: findings.progress(done, of, "operations called")
            )
        return self.heard


@contextmanager
def years() -> Iterator[Years]:
    """A world for these proofs."""
    # A job that reads everything takes as long as it takes.
    os.environ["KITH_STATEMENT_TIMEOUT_MS"] = "300000"
    with world(DATABASE) as here:
        yield Years(**vars(here))


WORLD = years


@dataclass
class Looked:
    """What was found of the program's statements."""

    statements: int = 0
    excepted: int = 0
    whole: list[str] = field(default_factory=list)
    most: int = 0
    most_by: str = ""


def look(url: str, said: Heard, progress: Callable[[int, int], None]) -> Looked:
    """Look at every statement there is, said or only written: what it reads of large tables."""
    names = heard.written()
    texts = sorted(said.by.keys() | names.keys())
    found = Looked(statements=len(texts))
    with postgres.connected(url) as connection:
        connection.run("set statement_timeout = '60s'")
        planner = Planner(connection)
        for number, sql in enumerate(texts, 1):
            speakers = said.by.get(sql, set())
            called = f"{names.get(sql) or 'a statement'} ({', '.join(sorted(speakers)[:3])})"
            if speakers and speakers <= WHOLE.keys():
                found.excepted += 1
                continue
            found.whole += [f"{called}: {one}" for one in planner.whole(sql)]
            most = MOST_SEARCHED if _SEARCH in speakers else MOST_READ
            for values in said.values.get(sql, []):
                rows, table = planner.most_read(sql, values)
                if rows > most:
                    found.whole.append(f"{called}: {rows:,} rows of {table}, with {values}")
                if rows > found.most:
                    found.most, found.most_by = rows, called
            progress(number, len(texts))
    return found


def _no_statement_reads_a_large_table(here: World, tries: int, findings: Findings) -> None:
    assert isinstance(here, Years)
    said = here.pass_by(tries, findings)
    found = look(
        here.server.admin_url(DATABASE),
        said,
        lambda done, of: findings.progress(done, of, "statements"),
    )
    findings.count("statements", found.statements)
    findings.count("rows in a table", tries)
    findings.measure("most rows read by one", f"{found.most:,}")
    for one in found.whole:
        findings.hold(holds=False, otherwise=one)


@contextmanager
def _without(index: str) -> Iterator[None]:
    """An index is gone meanwhile."""
    sql = "select pg_get_indexdef($1::regclass)"
    ((definition,),) = database.execute(sql, index)
    database.execute(f"drop index {index}")
    try:
        yield
    finally:
        database.execute(definition)


@contextmanager
def _state_as_a_parameter() -> Iterator[None]:
    """Which state is looked for is told with each call, so that no index is known to fit."""
    state = bindparam("state_told", "open", type_=Text)
    due = (
        select(checkouts.c.id)
        .where(checkouts.c.state == state, checkouts.c.expires_at <= bindparam("now"))
        .limit(500)
    )
    naive = command(
        update(checkouts)
        .where(checkouts.c.id == func.any(func.array(due.scalar_subquery())))
        .values(state="expired")
    )
    with replaced(queries, "EXPIRE_DUE", naive):
        yield


PROOFS = (
    Proof(
        "plans.reads",
        "No call, message or job reads a large table from end to end, whatever is asked for.",
        _no_statement_reads_a_large_table,
        full=1_000_000,
        short=20_000,
        planted=(
            Planted("an index is missing", lambda: _without("notifications.notifications_user_id")),
            Planted("a state as a parameter", _state_as_a_parameter),
        ),
    ),
)
