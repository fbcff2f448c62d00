"""The database goes away and comes back, again and again, while people are at work."""

import random
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import Any

from chalicelib.core import db, driver
from chalicelib.core.config import Config
from chalicelib.core.db import Connection
from chalicelib.core.driver import CannotConnect, ConnectionLost, Driver
from chalicelib.core.errors import InternalError
from chalicelib.core.idempotency import Attempt
from chalicelib.kernel.billing.ledger import service as ledger
from local.postgres import LocalServer, StopMode
from tests.faults import world as worlds
from tests.faults.customers import Customers
from tests.faults.proof import Findings, Planted, Proof
from tests.faults.world import World, replaced
from tests.support import database, invariants

ALONE = True

_MODES: tuple[StopMode, ...] = ("immediate", "fast")
_SERVED_WITHIN_SECONDS = 1.0
_READY = re.compile(r"^(\S+ \S+) UTC .*ready to accept connections", re.MULTILINE)


@contextmanager
def lasting_world() -> Iterator[World]:
    """A world whose data survives a crash, from which the server recovers as quickly as it can."""
    with worlds.world("kith_restarts", durable=True) as made:
        # Without it every file of the cluster is opened, which says nothing about us.
        database.execute("alter system set recovery_init_sync_method = 'syncfs'")
        database.execute("select pg_reload_conf()")
        yield made


WORLD = lasting_world


def run(world: World, tries: int, findings: Findings) -> None:
    """Restart the server so often under load, then half as often without a pause; look what stands."""
    server = world.server
    if not isinstance(server, LocalServer):
        raise TypeError("DATABASE_URL names a server that is not ours to restart")
    customers = Customers.gather(world, tries)
    slowest = gap = 0.0
    with slow_disk(), customers.at_work():
        for number in range(tries):
            time.sleep(random.uniform(0.1, 0.1 + tries / 10))
            began = time.time()
            server.restart(_MODES[number % 2])
            since = accepting_since(server)
            customers.wait_until_served(since)
            first = customers.records.first_served(since)
            findings.count("restarts")
            took = first - since if first is not None else float("inf")
            findings.hold(
                took <= _SERVED_WITHIN_SECONDS, f"restart {number}: {took:.1f} s until an answer"
            )
            slowest, gap = max(slowest, took), max(gap, (first or time.time()) - began)
            findings.progress(number + 1, tries, "restarts")
        for _ in range(tries // 2):
            server.restart("immediate")
            findings.count("restarts without a pause")
        customers.wait_until_served(accepting_since(server))
    findings.measure("first answer at the latest", f"{slowest:.2f} s after the server was ready")
    findings.measure("longest gap", f"{gap:.1f} s, the restart included")
    look(customers, findings)


def accepting_since(server: LocalServer) -> float:
    """When the server last began to take connections, by its own log."""
    found = _READY.findall(server.log_path.read_text(encoding="utf-8"))
    return datetime.fromisoformat(f"{found[-1]}+00:00").timestamp()


@contextmanager
def slow_disk() -> Iterator[None]:
    """Commits take as long as on a disk in a network: whoever goes away is likely to go in one."""
    name = database.execute("select current_database()")[0][0]
    for setting in ("commit_delay = 20000", "commit_siblings = 0"):
        database.execute(f"alter database {name} set {setting}")
    try:
        yield
    finally:
        for setting in ("commit_delay", "commit_siblings"):
            database.execute(f"alter database {name} reset {setting}")


def look(customers: Customers, findings: Findings) -> None:
    """Hold that all that was acknowledged is there, once, and nothing else."""
    records = customers.records
    for wrong in records.wrong:
        findings.hold(False, wrong)
    findings.count("answers", records.answers)
    for kind, names in sorted(records.done.items()):
        if kind != "reads":
            findings.count(kind, len(names))
    findings.count("answers that it is not known", records.unknown)
    findings.measure("answers of 503", f"{records.unavailable:,}")
    for kind, sql in _THERE.items():
        there = {tuple(map(str, row)) for row in database.execute(sql)}
        done = records.done.get(kind, set())
        findings.hold(done <= there, f"{len(done - there)} {kind} were acknowledged and are lost")
        findings.hold(there <= done, f"{len(there - done)} {kind} are there that nobody asked for")
    for holder in customers.holders:
        granted = sum(name[0] == str(holder.id) for name in records.done.get("grants", ()))
        _hold_balance(holder.id, granted, findings)
    for buyer in customers.buyers:
        spent = sum(name[0] == str(buyer.id) for name in records.done.get("reveals", ()))
        _hold_balance(buyer.id, customers.credits_given - spent, findings)
    told = database.execute(_TOLD)[0][0]
    revealed = len(records.done.get("reveals", ()))
    findings.hold(told == revealed, f"{told} authors were told of {revealed} reveals")
    for rule, rows in invariants.broken().items():
        findings.hold(False, f"{rule}: {rows}")


def _hold_balance(holder: uuid.UUID, right: int, findings: Findings) -> None:
    rows = database.execute(_BALANCE, holder)
    found = rows[0][0] if rows else 0
    findings.hold(found == right, f"{found} credits where {right} are right")


_THERE = {
    "reveals": "select requester_id, target_post_id from marketplace.contact_reveals",
    "blocks": "select blocker_id, blocked_id from moderation.blocks",
    "grants": """
        select a.holder_id, split_part(t.key, ':', 3)
        from billing.credit_transfers t join billing.credit_accounts a on a.id = t.credit_account_id
        where t.key like 'grant:%'""",
    "sign-ups": """
        select u.email from accounts.users u
        where u.email like 'newcomer.%' and exists (
            select from core.outbox o where o.payload ->> 'user_id' = u.id::text)""",
}
"""What stands of each kind, by the names it was asked for under."""
_TOLD = (
    "select count(*) from notifications.notifications where kind = 'marketplace.contact_revealed'"
)
_BALANCE = "select balance from billing.credit_accounts where kind = 'wallet' and holder_id = $1"


@contextmanager
def lost_commit_taken_for_done() -> Iterator[None]:
    """Whoever loses the connection during COMMIT is told that all went well."""
    finish = Connection.finish

    def trusting(unit: Connection) -> None:
        try:
            finish(unit)
        except ConnectionLost:
            db.session.close()

    with replaced(Connection, "finish", trusting):
        yield


@contextmanager
def lost_connection_raised() -> Iterator[None]:
    """A database that is not there is a bug like any other."""
    final = db._final  # noqa: SLF001

    def raised(unit: Connection, error: Exception) -> Exception | None:
        if isinstance(error, ConnectionLost | CannotConnect):
            db.session.close()
            return InternalError()
        return final(unit, error)

    with replaced(db, "_final", raised):
        yield


@contextmanager
def acknowledged_before_written() -> Iterator[None]:
    """COMMIT is answered before it is on the disk."""
    name = database.execute("select current_database()")[0][0]
    database.execute(f"alter database {name} set synchronous_commit = off")
    try:
        yield
    finally:
        database.execute(f"alter database {name} reset synchronous_commit")


@contextmanager
def done_again_under_its_key() -> Iterator[None]:
    """An attempt that comes again is another one."""
    grant = ledger.grant_by_staff

    def anew(unit: Connection, caller: Any, product: str, _attempt: str, data: Any) -> Any:
        return grant(unit, caller, product, str(uuid.uuid4()), data)

    with ExitStack() as stack:
        stack.enter_context(replaced(Attempt, "_check", lambda *_: None))
        stack.enter_context(replaced(ledger, "grant_by_staff", anew))
        yield


@contextmanager
def cautious() -> Iterator[None]:
    """Whoever found no database doesn't try again for a while."""
    until = [0.0]

    def connect(config: Config) -> Driver:
        if time.monotonic() < until[0]:
            raise CannotConnect
        try:
            return driver.connect(config)
        except CannotConnect:
            until[0] = time.monotonic() + 4 * _SERVED_WITHIN_SECONDS
            raise

    with replaced(db, "connect", connect):
        yield


PROOFS = (
    Proof(
        name="restarts.under_load",
        promise=(
            "Whatever was acknowledged survives every restart and crash of the database, happens"
            " once however often it is asked for, and a second after the database is back people"
            " are served again."
        ),
        run=run,
        full=20,
        short=2,
        planted=(
            Planted("a lost COMMIT is taken for done", lost_commit_taken_for_done, tries=1),
            Planted("a lost connection is a 500", lost_connection_raised, tries=1),
            Planted("acknowledged before it is written", acknowledged_before_written, tries=1),
            Planted("a repeated attempt is done again", done_again_under_its_key, tries=1),
            Planted("nobody connects for four seconds", cautious, tries=1),
        ),
    ),
)
