"""What the mail service tells of the mails it sent."""

import json

from tests.faults.kill_flows import Act, flow
from tests.faults.kill_stage import Stage


@flow("notifications_bounce")
def bounce(stage: Stage) -> Act:
    """An address does not exist any more."""
    gone = stage.person()
    bounced = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": gone.email}]}
    told = json.dumps({"eventType": "Bounce", "bounce": bounced})

    def act() -> None:
        stage.cloud.queues["ses-feedback"] = [told]
        stage.deliver()

    return act
