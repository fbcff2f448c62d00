"""A job and its work, started as EventBridge starts it, however often and however late."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.core import aws, clock
from chalicelib.core.jobs import LEASE, Job
from local.lambdas import invoke
from tests.faults import interruptions
from tests.faults.proof import Findings
from tests.faults.work.due import Day, Due, Prepare
from tests.faults.world import World, replaced
from tests.support import database
from tests.support.times import Times


@dataclass
class Shift:
    """A job, its work that waits, and what is noted about both."""

    world: World
    told: Job
    findings: Findings
    case: str
    due: Due
    times: Times

    @property
    def slot(self) -> datetime:
        """The moment that the schedule would name now."""
        return clock.now()

    def fire(self, at: datetime) -> str:
        """Start the job for a moment: `done`, `skipped`, `failed` or `lost`; `raised` if it broke."""
        event = {
            "version": "0",
            "id": "shift",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "1",
            "region": "us-east-1",
            "resources": [],
            "detail": {},
            "time": at.isoformat().replace("+00:00", "Z"),
        }
        try:
            answer: Mapping[str, Any] = invoke(self.world.app, self.told.name, event)
        except Exception as error:  # noqa: BLE001  Lambda tries such an event again later
            return f"raised {error!r}"
        return str(answer["state"])

    def hold(self, holds: object, otherwise: str) -> None:
        """Note what is wrong."""
        self.findings.hold(holds, f"{self.told.name}, {self.case}: {otherwise}")

    def is_done_once(self, *, cut_off: bool = False) -> None:
        """Hold that the work was done, and none of it twice."""
        found = dict(self.due.effects())
        if self.due.rings and cut_off:
            found = {name: min(number, self.due.wanted[name]) for name, number in found.items()}
        self.hold(found == dict(self.due.wanted), f"{found} instead of {dict(self.due.wanted)}")
        if self.due.rows is not None:
            ((rows,),) = database.execute(
                "select sum(rows)::bigint from core.job_runs where job = $1", self.told.name
            )
            self.hold(rows == self.due.rows, f"counted {rows} rows instead of {self.due.rows}")

    def take_over(self) -> None:
        """Start it again when nobody can hold its lease any more, and hold that it is done.

        What one run could not do and said so waits for the next time on the schedule.
        """
        schedule, began = self.told.schedule, self.slot
        self.times.pass_by(LEASE + timedelta(seconds=1))
        state = self.fire(self.slot)
        if state == "skipped" and dict(self.due.effects()) != dict(self.due.wanted):
            following = schedule.following(schedule.slot(began))
            self.times.pass_by(max(timedelta(), following - self.slot))
            state = self.fire(self.slot)
        self.hold(state in {"done", "skipped"}, f"taken over, it was {state}")
        self.is_done_once(cut_off=True)

    def killed(self, point: int) -> bool:
        """Have its process killed at a point; False if it came to its end before."""
        at, sent = self.slot, self.world.folder / "sent"
        sent.unlink(missing_ok=True)

        def work() -> None:
            with _sending_to(sent):
                self.fire(at)

        died = interruptions.killed(work, point)
        if sent.exists():
            for line in sent.read_text(encoding="utf-8").splitlines():
                aws.send_message(*json.loads(line))
        return died

    def cut(self, point: int) -> int:
        """Have the server end its connection at a point; how many points there were."""
        with interruptions.at_point(point, _end_connection) as passed:
            self.fire(self.slot)
        return passed[0]


@contextmanager
def shift(
    world: World, told: Job, prepare: Prepare, findings: Findings, case: str
) -> Iterator[Shift]:
    """The job with its work due, in a world in which nothing else is."""
    world.empty()
    world.stripe.fake.reset()
    world.stripe.fake.set_delivery_mode("drop")
    world.stripe.sent.clear()
    times = Times(world.stripe)
    made = Shift(world, told, findings, case, prepare(Day(world, times)), times)
    waits = dict(made.due.effects()) != dict(made.due.wanted)
    made.hold(waits, "there was nothing to do")
    yield made
    times.back()


@contextmanager
def _sending_to(path: Path) -> Iterator[None]:
    """Messages outlive the process that sends them: they are put into a file."""

    def send(*given: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(given) + "\n")

    with replaced(aws, "send_message", send):
        yield


def _end_connection(driver: Any) -> None:
    pid = int.from_bytes(driver._backend_key_data[:4], "big")  # noqa: SLF001  known to it alone
    with database.another_connection() as other:
        other.run("select pg_terminate_backend(:pid, 5000)", pid=pid)
