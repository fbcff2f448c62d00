"""The whole state of a world: kept, put back, and told in a form in which runs can be compared.

Two runs that did the same differ in what is random or tells the time. Ids, moments, tokens and
ciphers that are new since the state was kept stand as such; a new id is called by what its row
says, so that it still matters who refers to whom.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from chalicelib import registry
from chalicelib.core import db
from chalicelib.core.driver import Call
from tests.faults.kill_processes import KillWorld
from tests.support import database, invariants
from tests.support.cloud import Mail

State = Counter[str]
"""Lines, each as often as it stands there."""

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
NEW = re.compile(
    rf"(?P<id>{_UUID})"
    r"|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))"
    r"|(?P<second>\b1[789]\d{8}\b)"
    r"|(?P<cipher>\\\\x[0-9a-f]{32,})"
    r"|(?P<hash>\b[0-9a-f]{64}\b|\$argon2id\$[^\"]+)"
    r"|(?P<external>\b(?:[a-z]{2,4}_(?:test_)?[A-Za-z0-9]{14,}|mail-\d+)\b)"
    r"|(?P<token>\b[A-Za-z0-9_-]{43}\b)"
)
_STRIPE_TABLES = ("objects", "idempotency", "deliveries", "attempts", "settings")
_SOLD = """select kind, json_object(
        'status', coalesce(json_extract(body, '$.status'), ''),
        'paid', json_extract(body, '$.payment_status'), 'of', json_extract(body, '$.metadata'),
        'amount', coalesce(json_extract(body, '$.amount'), json_extract(body, '$.amount_total')))
    from objects where kind in ('checkout.session', 'charge', 'refund', 'dispute')"""

# Counted per try or per run: a repetition shows there, and is none.
_NOT_COMPARED = {"core.rate_limits", "core.job_runs"}
_COLUMNS_NOT_COMPARED = ("attempts", "next_send_at", "next_attempt_at")
# What Stripe writes is full of chance; how much of it is kept is not.
_SHOWN_OTHERWISE = {
    "billing.webhook_events": "jsonb_build_object('payload', length(payload::text) > 300)"
}
_RUNNING = "select job from core.job_runs where state = 'running'"


@cache
def _tables() -> dict[str, str]:
    """Each table, and the columns that can be written."""
    names = [f"{table.schema}.{table.name}" for table in registry.tables().sorted_tables]
    columns = (
        "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute"
        " where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''"
    )
    return {name: database.execute(columns, name)[0][0] for name in names}


def _kept_as(table: str) -> str:
    return f"kept.{table.replace('.', '_')}"


@dataclass
class Kept:
    """A state to begin from, as often as one likes."""

    world: KillWorld
    stripe: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)
    known: frozenset[str] = frozenset()

    @classmethod
    def of(cls, world: KillWorld) -> "Kept":
        """Keep the state that a world is in."""
        made = cls(world)
        copies = [
            f"create unlogged table {_kept_as(table)} as select {columns} from {table}"
            for table, columns in _tables().items()
        ]
        _run(["drop schema if exists kept cascade", "create schema kept", *copies])
        with stripe_rows(world) as rows:
            for table in _STRIPE_TABLES:
                made.stripe[table] = rows.execute(f"select * from {table}").fetchall()
        lines = "\n".join(text for _, _, text in _rows(world))
        made.known = frozenset(one.group() for one in NEW.finditer(lines))
        return made

    def put_back(self) -> None:
        """Have the world be as it was."""
        tables = _tables().items()
        _run(
            [
                "set local session_replication_role = replica",
                *(f"delete from {table}" for table, _ in tables),
                *(
                    f"insert into {table} ({columns}) select {columns} from {_kept_as(table)}"
                    for table, columns in tables
                ),
            ]
        )
        with stripe_rows(self.world) as rows:
            for table, before in self.stripe.items():
                rows.execute(f"delete from {table}")
                for row in before:
                    marks = ", ".join("?" * len(row))
                    rows.execute(f"insert into {table} values ({marks})", row)

    def forget(self) -> None:
        """Keep it no longer."""
        _run(["drop schema kept cascade"])

    def state(self, mails: Iterable[Mail]) -> State:
        """What there is now, and the mails that went out, in lines that can be compared."""
        rows = _rows(self.world)
        names = {
            row: f"<{_digest(table + self._told(text, {}))}>" for table, row, text in rows if row
        }
        lines = Counter(f"{table} {self._told(text, names)}" for table, _, text in rows)
        lines.update(f"mail to {one.recipient}: {one.subject}" for one in mails)
        return lines

    def _told(self, text: str, names: dict[str, str]) -> str:
        def told(found: re.Match[str]) -> str:
            value = found.group()
            return value if value in self.known else names.get(value, f"<{found.lastgroup}>")

        return NEW.sub(told, text)


def stripe_rows(world: KillWorld) -> AbstractContextManager[Any]:
    """What Stripe holds, in a transaction: `execute` runs a statement on it."""
    store = world.stripe.fake._fake.store  # noqa: SLF001  nobody else looks behind the fake
    transaction: AbstractContextManager[Any] = store.transaction()
    return transaction


def stuck() -> list[str]:
    """What is under way and will never end by itself."""
    return [f"the job {row[0]} is still running" for row in database.execute(_RUNNING)]


def unsound() -> list[str]:
    """The rules of money and credits that do not hold."""
    return [f"{rule}: {rows}" for rule, rows in invariants.broken().items()]


def _rows(world: KillWorld) -> list[tuple[str, str | None, str]]:
    """Every row there is: its table, its id if it has one, and itself as JSON."""
    asked = " union all ".join(_asked(table) for table in _tables() if table not in _NOT_COMPARED)
    found = [(table, row, text) for table, row, text in database.execute(asked)]
    with stripe_rows(world) as rows:
        found += [(f"stripe.{kind}", None, text) for kind, text in rows.execute(_SOLD)]
    return found


def _asked(table: str) -> str:
    left_out = "".join(f" - '{name}'" for name in _COLUMNS_NOT_COMPARED)
    otherwise = _SHOWN_OTHERWISE.get(table, "'{}'")
    shown = f"((to_jsonb(t){left_out}) || {otherwise})::text"
    return f"select '{table}', to_jsonb(t) ->> 'id', {shown} from {table} t"


def _run(statements: list[str]) -> None:
    db.session.ready().exchange([[Call(sql.encode()) for sql in statements]])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
