"""Every job has work described, so that a job nobody thought of is not left untried."""

from chalice.app import Chalice

from chalicelib.core import jobs
from tests.faults.work import due


def test_the_work_of_every_job_is_described(app: Chalice) -> None:
    missing = jobs.registered.keys() - due.every().keys()
    assert not missing, f"describe it in tests/faults/work: {sorted(missing)}"
