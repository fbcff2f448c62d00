"""Many more workers, all of them cold, than the database has connections for."""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalicelib.core import db
from chalicelib.core.config import config
from chalicelib.core.driver import Driver, connect
from chalicelib.core.errors import Unavailable
from local import postgres
from tests.faults import world as worlds
from tests.faults.proof import Findings, Planted, Proof
from tests.faults.restarts import lost_connection_raised
from tests.faults.waits import is_refusal
from tests.faults.world import World, replaced
from tests.support import database, people
from tests.support.people import Person

MOST_CONNECTIONS = 60
_HOLDERS = 40
_WARM_SECONDS = 1.0
"""How long a worker may live on when it was served, with its connection."""
_PATIENCE_SECONDS = 90
_WATCH_SECONDS = 0.02
_SERVER_PROCESSES = "select count(*) from pg_stat_activity where backend_type = 'client backend'"


@contextmanager
def crowded_world() -> Iterator[World]:
    """A world whose server takes few connections."""
    few = postgres._SETTINGS | {"max_connections": str(MOST_CONNECTIONS)}  # noqa: SLF001
    with replaced(postgres, "_SETTINGS", few), worlds.world("kith_storms") as made:
        yield made


@dataclass
class Storm:
    """Workers that each want one thing done, and how it went."""

    staff: Person
    holders: list[Person]
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    served: int = 0
    connected: int = 0
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self, number: int) -> None:
        """A cold worker: asks until it is served, is warm for a while, and goes."""
        holder, key = self.holders[number % len(self.holders)], str(uuid.uuid4())
        body = {"user_id": str(holder.id), "amount": 1}
        ends = time.monotonic() + _PATIENCE_SECONDS
        try:
            while time.monotonic() < ends:
                answer = self.staff.api.post("/v1/admin/marketplace/credit_grants", body, key=key)
                self._note(answer.status)
                if answer.status == 201:
                    self.served += 1
                    break
                if not is_refusal(answer):
                    self.wrong.append(f"answered {answer.status} {answer.text[:200]}")
                # As Retry-After says, in a tenth of the time.
                time.sleep(random.uniform(0, 0.2))
            warm = holder.api.get("/v1/me")
            self._note(warm.status)
            if warm.status != 200 or holder.email not in warm.text:
                self.wrong.append(f"warm, answered {warm.status} {warm.text[:200]}")
            time.sleep(random.uniform(0.3, _WARM_SECONDS))
        except Exception as error:  # noqa: BLE001  a program that raises answers nobody
            self.wrong.append(f"answered by {error!r}")
        finally:
            db.close()

    def _note(self, status: int) -> None:
        with self._lock:
            self.statuses[status] += 1

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count the connections that are made meanwhile, and how many there are at most."""
        begin, stopping = Driver.__init__, threading.Event()

        def counted(made: Driver, **told: Any) -> None:
            begin(made, **told)
            with self._lock:
                self.connected += 1

        with database.another_connection() as watcher:

            def watch() -> None:
                while not stopping.wait(_WATCH_SECONDS):
                    ((number,),) = watcher.run(_SERVER_PROCESSES)
                    self.most = max(self.most, int(number))

            thread = threading.Thread(target=watch)
            thread.start()
            try:
                with replaced(Driver, "__init__", counted):
                    yield
            finally:
                stopping.set()
                thread.join()


def storm(world: World, tries: int, findings: Findings) -> None:
    """Start so many workers at once; all are to be served in the end, and none wrongly."""
    staff = people.person(world.api)
    people.give_role(staff, "finance", "marketplace")
    made = Storm(staff, [people.person(world.api) for _ in range(_HOLDERS)])
    threads = [threading.Thread(target=made.work, args=(number,)) for number in range(tries)]
    began = time.monotonic()
    with made.watched():
        for thread in threads:
            thread.start()
        for number, thread in enumerate(threads, 1):
            thread.join()
            findings.progress(number, tries, "workers")
    findings.count("workers", tries)
    findings.count("refusals with a time to come again", made.statuses[503] + made.statuses[409])
    for wrong in made.wrong:
        findings.hold(False, wrong)
    findings.hold(made.served == tries, f"{tries - made.served} were never served")
    findings.hold(made.statuses[503], "there was no storm: nobody was refused")
    findings.hold(made.connected <= tries, f"{made.connected} connections of {tries} workers")
    findings.hold(made.most <= MOST_CONNECTIONS, f"{made.most} connections at once")
    ((given,),) = database.execute(
        "select coalesce(sum(balance), 0) from billing.credit_accounts where kind = 'wallet'"
    )
    findings.hold(given == tries, f"{given} credits given of {tries}")
    findings.measure("connections", f"{made.most} at most of {MOST_CONNECTIONS}")
    findings.measure("all served after", f"{time.monotonic() - began:.0f} s")


@contextmanager
def a_connection_for_each_unit() -> Iterator[None]:
    """Every unit of work opens a connection."""

    def ready(session: Any) -> Driver:
        made = session.driver = connect(config())
        return made

    with replaced(db.Session, "ready", ready):
        yield


@contextmanager
def no_time_to_come_again() -> Iterator[None]:
    """Whoever is refused isn't told when to come again."""
    begin = Unavailable.__init__

    def silent(error: Unavailable, detail: str | None = None, **_: Any) -> None:
        begin(error, detail)
        error.retry_after = None

    with replaced(Unavailable, "__init__", silent):
        yield


WORLD = crowded_world
PROOFS = (
    Proof(
        name="storms.everybody_served",
        promise=(
            "When many more come at once than the database has connections for, whoever has to wait is"
            " told for how long, and in the end everybody is served."
        ),
        run=storm,
        full=1_000,
        short=100,
        planted=(
            Planted("no connection is a 500", lost_connection_raised, tries=80),
            Planted("a connection for each unit of work", a_connection_for_each_unit, tries=80),
            Planted("nobody is told when to come again", no_time_to_come_again, tries=80),
        ),
    ),
)
