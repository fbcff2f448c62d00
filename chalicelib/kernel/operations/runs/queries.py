"""Every statement on the runs of jobs."""

from sqlalchemy import DateTime, Text, bindparam, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from chalicelib.core.paging import Narrowed, each
from chalicelib.core.statements import statement
from chalicelib.core.tables import job_runs

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

RUNS = Narrowed(
    select(*_shown),
    job_runs.c.id,
    job=job_runs.c.job,
    state=each(job_runs.c.state, "running", "done", "failed", "lost"),
)
# One look into the index for each job, however often it has run.
_names = func.unnest(bindparam("jobs", type_=ARRAY(Text))).table_valued("job")
_each = _names.render_derived(name="each")
_newest = (
    select(*_shown)
    .where(job_runs.c.job == _each.c.job)
    .order_by(job_runs.c.slot.desc())
    .limit(literal_column("1"))
    .lateral("newest")
)
NEWEST = statement(select(*_newest.c).select_from(_each.join(_newest, true())))
UNDER_WAY = statement(
    select(job_runs.c.id).where(
        job_runs.c.job == bindparam("job_name", type_=Text),
        job_runs.c.slot == bindparam("slot_at", type_=DateTime(timezone=True)),
        job_runs.c.state == "running",
    )
)
