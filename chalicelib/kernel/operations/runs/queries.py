"""Every statement on the runs of jobs."""

from sqlalchemy import Text, bindparam, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from chalicelib.core.paging import PagedStatement
from chalicelib.core.statements import statement
from chalicelib.core.tables import job_runs

_JOB = bindparam("job", type_=Text)
_STATE = bindparam("state", type_=Text)

_shown = (
    job_runs.c.id,
    job_runs.c.job,
    job_runs.c.slot,
    job_runs.c.state,
    job_runs.c.rows,
    job_runs.c.error,
    job_runs.c.started_at,
    job_runs.c.finished_at,
)

RUNS = PagedStatement(
    select(*_shown).where(
        or_(_JOB.is_(None), job_runs.c.job == _JOB),
        or_(_STATE.is_(None), job_runs.c.state == _STATE),
    ),
    job_runs.c.id,
)
NEWEST = statement(
    select(*_shown)
    .ext(distinct_on(job_runs.c.job))
    .order_by(job_runs.c.job.asc(), job_runs.c.slot.desc())
)
