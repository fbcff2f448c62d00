"""What operators look at and set in motion: settings, jobs, events, dead letters, the audit log."""

import uuid

from chalicelib.core.outbox import Message
from chalicelib.kernel.billing.events import WebhookReceived
from tests.faults.described.accounts import BAN
from tests.faults.described.scene import Call, Scene, described

QUEUE = {"queue": "webhooks"}
SETTING = {"product": "marketplace", "key": "reveals_per_day"}
JOB = {"job": "core_forget_attempts"}


def dead_letter(scene: Scene) -> None:
    """A message that could not be worked on."""
    message = Message(uuid.uuid4(), WebhookReceived.topic, {"webhook_id": str(uuid.uuid4())})
    scene.world.cloud.dead.append((QUEUE["queue"], message.text()))


@described("operations_settings_current", reach="staff")
def settings(scene: Scene) -> Call:
    """What admins of a product may set."""
    admin = scene.staff_for("operations_settings_current")
    return Call(by=admin, path={"product": "marketplace"})


@described("operations_settings_put", reach="staff")
def put_setting(scene: Scene) -> Call:
    """Set something."""
    return Call(by=scene.staff_for("operations_settings_put"), path=SETTING, body={"value": 40})


@described("operations_settings_reset", reach="staff")
def reset_setting(scene: Scene) -> Call:
    """Have a default hold again."""
    admin = scene.staff_for("operations_settings_reset")
    answer = admin.api.put("/v1/admin/marketplace/settings/reveals_per_day", {"value": 40})
    assert answer.status == 200, answer.text
    return Call(by=admin, path=SETTING)


@described("operations_runs_known", reach="staff")
def jobs(scene: Scene) -> Call:
    """The jobs there are."""
    return Call(by=scene.staff_for("operations_runs_known"))


@described("operations_runs_start", reach="staff")
def start_job(scene: Scene) -> Call:
    """Have a job run now."""
    return Call(by=scene.staff_for("operations_runs_start"), path=JOB)


@described("operations_runs_runs", reach="staff")
def runs(scene: Scene) -> Call:
    """How jobs went."""
    admin = scene.staff_for("operations_runs_runs")
    answer = admin.api.post(f"/v1/admin/jobs/{JOB['job']}/runs")
    assert answer.status == 202, answer.text
    scene.world.cloud.deliver()
    return Call(by=admin, query=JOB | {"state": "done"})


@described("operations_records_backlog", reach="staff")
def backlog(scene: Scene) -> Call:
    """Which events somebody has still to hear."""
    return Call(by=scene.staff_for("operations_records_backlog"))


@described("operations_records_audit_log", reach="staff")
def audit_log(scene: Scene) -> Call:
    """Who did what to somebody."""
    other = scene.person()
    moderator = scene.staff("moderator")
    answer = moderator.api.put(f"/v1/admin/users/{other.id}/ban", BAN)
    assert answer.status == 204, answer.text
    query = {"subject": f"accounts.users:{other.id}", "actor_id": str(moderator.id)}
    return Call(by=scene.staff_for("operations_records_audit_log"), query=query, owner=other)


@described("operations_dead_letters_queues", reach="staff")
def dead_queues(scene: Scene) -> Call:
    """Where messages could not be worked on."""
    dead_letter(scene)
    return Call(by=scene.staff_for("operations_dead_letters_queues"))


@described("operations_dead_letters_look_at", reach="staff")
def look_at_dead(scene: Scene) -> Call:
    """Which messages could not be worked on."""
    dead_letter(scene)
    admin = scene.staff_for("operations_dead_letters_look_at")
    return Call(by=admin, path=QUEUE, query={"limit": 5})


@described("operations_dead_letters_resend", reach="staff")
def resend(scene: Scene) -> Call:
    """Send them once more."""
    dead_letter(scene)
    admin = scene.staff_for("operations_dead_letters_resend")
    return Call(by=admin, path=QUEUE, body={"most": 5})
