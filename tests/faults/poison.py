"""One message among many that its handler can't bear: it is parked, and all others are worked on."""

import json
import random
from collections import Counter
from uuid import UUID

from chalicelib.core import db
from chalicelib.core.db import Connection
from chalicelib.kernel.notifications import service as notifications
from tests.faults.deliveries import failures_kept, whole_batches_returned
from tests.faults.proof import Findings, Planted, Proof
from tests.faults.world import World
from tests.support import database, logs, people

_QUEUE, _TEMPLATE, _NO_TEMPLATE = "notifications", "password_changed", "no_such_template"
_BATCH, _RECEIVES = 10, 5


def run(world: World, tries: int, findings: Findings) -> None:
    """Have so many mails sent, of which one has no template; then put that right and replay it."""
    who, admin, cloud = people.person(world.api), people.person(world.api), world.cloud
    people.give_role(admin, "admin")
    cloud.deliver()
    before = len(cloud.mails)
    logged = len(logs.lines(world.log_path, "message"))
    waiting = _queued(world, who.id, tries)
    poison = waiting[tries // 2]
    spoilt = json.loads(poison)["payload"]["mail_id"]
    _set_template(spoilt, _NO_TEMPLATE)
    received: Counter[str] = Counter()
    while waiting:
        batch, waiting = waiting[:_BATCH], waiting[_BATCH:]
        received.update(batch)
        for body in cloud.take(_QUEUE, batch):
            if received[body] < _RECEIVES:
                waiting.append(body)
            else:
                cloud.dead.append((_QUEUE, body))
    findings.count("messages", tries)
    sent, parked = len(cloud.mails) - before, [body for _, body in cloud.dead]
    findings.hold(sent == tries - 1, f"{sent} mails of {tries - 1} that could be sent")
    findings.hold(parked == [poison], f"{len(parked)} messages parked")
    again = [body for body, number in received.items() if number > 1 and body != poison]
    findings.hold(not again, f"{len(again)} messages came again for another's sake")
    told = [one for one in logs.lines(world.log_path, "message")[logged:] if not one["ok"]]
    findings.hold(len(told) == _RECEIVES, f"{len(told)} failures were logged")
    _set_template(spoilt, _TEMPLATE)
    letters = admin.api.get(f"/v1/admin/dead_letters/{_QUEUE}").json["items"]
    shown = [one["event_id"] for one in letters]
    findings.hold(shown == [json.loads(poison)["event_id"]], f"operators are shown {shown}")
    admin.api.post(f"/v1/admin/dead_letters/{_QUEUE}/resend", {"most": 10})
    cloud.deliver()
    sent = len(cloud.mails) - before
    findings.hold(sent == tries, f"after the replay {sent} mails of {tries}")
    findings.count("messages parked and replayed")


def _queued(world: World, user_id: UUID, number: int) -> list[str]:
    """Messages to send so many mails to somebody, in any order."""

    def queue(unit: Connection) -> None:
        for _ in range(number):
            notifications.queue_mail(unit, user_id, _TEMPLATE)

    db.write(queue)
    found = world.cloud.queues.pop(_QUEUE)
    random.Random(number).shuffle(found)
    return found


def _set_template(mail_id: str, template: str) -> None:
    database.execute(
        "update notifications.mails set template = $1 where id = $2", template, mail_id
    )


PROOFS = (
    Proof(
        name="poison.parked",
        promise=(
            "A message that makes its handler fail holds up no other: it is set aside, shown to"
            " operators, and done when they send it again."
        ),
        run=run,
        full=1_000,
        short=100,
        planted=(
            Planted("a whole batch is returned", whole_batches_returned),
            Planted("failed messages are not returned", failures_kept),
        ),
    ),
)
