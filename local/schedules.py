"""Schedules: what EventBridge does on AWS, by the clock that can be moved.

Each job is called once for each slot of its schedule. After the process was down, the newest slot
that was missed is caught up; the job's own record makes one that was done before a no-op.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalice.app import Chalice

from chalicelib.core import aws, clock, ids, jobs, log
from chalicelib.core.errors import Unavailable
from chalicelib.core.jobs import Job
from local.lambdas import ACCOUNT, invoke

_TICK_SECONDS = 0.25
_AGAIN_AFTER_SECONDS = 2.0
_AT_ONCE = 4


@dataclass(frozen=True)
class Run:
    """What became of a job at a slot. `state` is the job's own word, `failed` if it raised."""

    slot: datetime
    job: str
    state: str
    rows: int


class Schedules:
    """Calls the jobs of an app when they are due, from `start` to `stop`."""

    def __init__(self, app: Chalice) -> None:
        self._app = app
        self.jobs = [one for one in jobs.registered.values() if one.name in app.handler_map]
        self._done: dict[str, datetime] = {}
        self._again_at: dict[str, float] = {}
        self._under_way: dict[str, Future[Run]] = {}
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="job")
        self._thread = threading.Thread(target=self._watch, name="schedules", daemon=True)

    def start(self) -> None:
        """Begin, with the newest slot of each job."""
        self._thread.start()

    def stop(self, patience: float) -> None:
        """Start no more jobs; wait up to `patience` seconds for those that run."""
        self._stopping.set()
        wait(list(self._under_way.values()), patience)
        self._pool.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is started while the block runs, and what ran before has ended."""
        with self._turn:
            wait(list(self._under_way.values()))
            yield

    def fire(self, job: Job, slot: datetime) -> Run:
        """Call a job's handler for a slot, as EventBridge would at that time."""
        event = {
            "version": "0",
            "id": str(ids.uuid7()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": slot.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": aws.credentials().region,
            "resources": [f"arn:aws:events:{aws.credentials().region}:{ACCOUNT}:rule/{job.name}"],
            "detail": {},
        }
        try:
            told: dict[str, Any] = invoke(self._app, job.name, event)
        except Exception as error:  # noqa: BLE001  the database may be away; the job comes again
            if job.name not in self._again_at:
                log.line("job_not_started", job=job.name, error=_told(error))
            self._again_at[job.name] = time.monotonic() + _AGAIN_AFTER_SECONDS
            return Run(slot, job.name, "failed", 0)
        self._again_at.pop(job.name, None)
        self._done[job.name] = slot
        return Run(slot, job.name, told["state"], told["rows"])

    def _watch(self) -> None:
        while not self._stopping.wait(_TICK_SECONDS):
            with self._turn:
                for job in self.jobs:
                    slot = job.schedule.slot(clock.now())
                    if self._done.get(job.name) != slot and self._may_start(job):
                        self._under_way[job.name] = self._pool.submit(self.fire, job, slot)

    def _may_start(self, job: Job) -> bool:
        """Whether a job is not running, nor failed to start a moment ago."""
        before = self._under_way.get(job.name)
        waits = time.monotonic() < self._again_at.get(job.name, 0)
        return not waits and (before is None or before.done())


def _told(error: Exception) -> list[str]:
    """What the log says of an error: all, unless the database is away and we know that already."""
    return [type(error).__name__] if isinstance(error, Unavailable) else log.frames(error)
