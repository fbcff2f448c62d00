"""What comes in and goes out of the operators' operations."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chalicelib.core.paging import PageQuery
from chalicelib.core.schemas import Limit, Schema

Product = Annotated[str, Field(pattern=r"^[a-z]{1,40}$", examples=["marketplace"])]
Key = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$", examples=["reveals_per_day"])]
Queue = Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,39}$", examples=["notifications"])]
JobName = Annotated[str, Field(pattern=r"^[a-z_]{1,100}$", examples=["core_relay"])]
SettingKind = Literal["integer", "text", "boolean"]
RunState = Literal["running", "done", "failed", "lost"]


class Setting(Schema):
    """A setting, what it is now, and what it may be."""

    key: Key
    kind: SettingKind
    value: int | str | bool
    default: int | str | bool
    least: int = Field(description="Of a number, or of a text's length.")
    most: int = Field(description="Of a number, or of a text's length.")
    description: str
    updated_at: datetime | None = Field(description="Null while the default holds.")
    updated_by: UUID | None


class SettingPut(Schema):
    """What a setting is to be, of its own kind."""

    value: int | str | bool


class DeadQueue(Schema):
    """About how many messages of a queue could not be worked on."""

    queue: Queue
    messages: int


class DeadLetterQuery(Schema):
    """How many to look at."""

    limit: Limit = 20


class DeadLetter(Schema):
    """A message that failed five times; what it holds stays in the queue."""

    message_id: str
    event_id: UUID | None = Field(description="Null for a message that is no event of ours.")
    topic: str | None
    sent_at: datetime
    receives: int


class Resend(Schema):
    """How many messages to send again at most."""

    most: Annotated[int, Field(ge=1, le=100)] = 100


class Resent(Schema):
    """How many messages were sent again."""

    resent: int


class Run(Schema):
    """A run of a job."""

    id: UUID
    job: JobName
    slot: datetime
    state: RunState
    rows: int
    error: str | None = Field(description="Where in the program it failed.")
    started_at: datetime
    finished_at: datetime | None


class RunQuery(PageQuery):
    """Which runs; what is left out does not narrow."""

    job: JobName | None = None
    state: RunState | None = None


class Job(Schema):
    """A job, when it runs, and its newest run."""

    job: JobName
    schedule: str = Field(examples=["every 60 minutes"])
    last_run: Run | None


class RunRequested(Schema):
    """The job runs as soon as its queue gets to it, unless it runs just then."""

    job: JobName
    slot: datetime = Field(description="By which its run is found among the runs.")


class Backlog(Schema):
    """The events of a topic that somebody has still to hear."""

    topic: str
    waiting: int
    oldest_at: datetime
    most_attempts: int


class AuditQuery(PageQuery):
    """Which lines; what is left out does not narrow."""

    subject: str | None = Field(
        None, min_length=1, max_length=200, examples=["moderation.cases:019a9e00-…"]
    )
    actor_id: UUID | None = None


class AuditDetail(Schema):
    """An id, code or number that belongs to a line."""

    name: str
    value: str | None


class AuditLine(Schema):
    """Who did what to whose."""

    id: UUID
    actor_id: UUID | None = Field(description="Null: the system itself.")
    action: str
    subject: str
    detail: list[AuditDetail]
    at: datetime
