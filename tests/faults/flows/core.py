"""Core's own jobs: sending events, forgetting what nobody needs."""

from datetime import timedelta

from chalicelib.core import db, outbox
from chalicelib.kernel.accounts.events import PasswordChanged
from tests.faults.kill_flows import Act, flow
from tests.faults.kill_stage import Stage


@flow(job="core_relay")
def relay(stage: Stage) -> Act:
    """Events that were lost on their way to the queue."""
    for _ in range(2):
        person = stage.person()
        db.write(outbox.publish, PasswordChanged(person.id))
    stage.world.cloud.queues.clear()
    stage.pass_by(outbox.RESEND_AFTER)
    return stage.firing("core_relay")


@flow(job="core_forget_events")
def forget_events(stage: Stage) -> Act:
    """Events that were heard more than a week ago."""
    person = stage.person()
    db.write(outbox.publish, PasswordChanged(person.id))
    stage.world.cloud.deliver()
    stage.pass_by(timedelta(days=8))
    return stage.firing("core_forget_events")


@flow(job="core_forget_attempts")
def forget_attempts(stage: Stage) -> Act:
    """Keys and limits whose time is over."""
    stage.paid_for(stage.person(), "contacts_10")
    stage.pass_by(timedelta(days=31))
    return stage.firing("core_forget_attempts")
