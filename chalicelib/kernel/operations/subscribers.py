"""What operators asked for, done."""

from datetime import datetime

from chalicelib.core.db import Transactions
from chalicelib.core.outbox import subscribe
from chalicelib.kernel.operations.events import JobRequested
from chalicelib.kernel.operations.runs import service


@subscribe(JobRequested, calls=True)
def run_job(transactions: Transactions, event: JobRequested) -> None:
    """Run a job that was asked for; it has transactions and a lease of its own."""
    service.run(transactions, event.job, datetime.fromisoformat(event.slot))
