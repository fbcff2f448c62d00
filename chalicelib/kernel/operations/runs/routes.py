"""Jobs and their runs."""

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Staff
from chalicelib.core.paging import Page
from chalicelib.core.statements import Json
from chalicelib.kernel.operations.runs import service
from chalicelib.kernel.operations.schemas import Job, JobName, Run, RunQuery, RunRequested

bp = Blueprint(__name__)


@endpoint(bp, "GET", "/v1/admin/jobs", caller=Staff())
def known(db: Connection) -> Page[Job]:
    """Every job, when it runs, and how its newest run went."""
    return service.known(db)


@endpoint(bp, "GET", "/v1/admin/job_runs", caller=Staff())
def runs(db: Connection, query: RunQuery) -> Json[Page[Run]]:
    """The runs of jobs, newest first."""
    return service.runs(db, query)


@endpoint(
    bp,
    "POST",
    "/v1/admin/jobs/{job}/runs",
    caller=Staff(),
    status=202,
    errors=(NotFound,),
)
def start(db: Connection, caller: Caller, job: JobName) -> RunRequested:
    """Have a job run now, by its queue; its run is found among the runs by its slot."""
    return service.start(db, caller, job)
