"""What operators ask for that is done afterwards."""

from dataclasses import dataclass

from chalicelib.core.outbox import Event


@dataclass(frozen=True)
class JobRequested(Event):
    """Somebody wants a job to run now; `slot` is when they asked, and names the run."""

    topic = "operations.job_requested"
    urgent = True
    job: str
    slot: str
