"""A purchase while queues, mail and Stripe fail in turn: later than usual, and otherwise the same."""

import uuid
from datetime import timedelta

from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import PASSWORD, POST, Person, again
from tests.support.stripe import Stripe
from tests.support.times import Times

JOBS = ("core_relay", "billing_webhooks_process_due", "billing_checkouts_expire")


def minutes_pass(times: Times, cloud: Cloud, count: int = 10) -> None:
    """What the schedules do meanwhile, every minute."""
    for _ in range(count):
        times.pass_by(timedelta(minutes=1))
        for job in JOBS:
            times.run(job)
        cloud.deliver()


def waiting() -> tuple[int, int]:
    """Events that somebody has still to hear of, and webhooks to be applied."""
    ((events,),) = database.execute("select count(*) from core.outbox where done_at is null")
    ((webhooks,),) = database.execute(
        "select count(*) from billing.webhook_events where state = 'pending'"
    )
    return events, webhooks


def test_nothing_is_lost_while_everything_around_the_database_is_down(
    api: Api, cloud: Cloud, stripe: Stripe, times: Times
) -> None:
    cloud.down = True
    email = "ana@kith.example"
    assert api.post("/v1/auth/sign_ups", {"email": email, "password": PASSWORD}).status == 202
    minutes_pass(times, cloud, 3)
    cloud.down, cloud.mail_down = False, True
    minutes_pass(times, cloud)
    assert cloud.mails == []
    cloud.mail_down = False
    minutes_pass(times, cloud, 30)
    token = cloud.mail_to(email).token
    assert api.post("/v1/auth/verifications", {"token": token, "password": PASSWORD}).status == 200
    session = api.post("/v1/auth/sessions", {"email": email, "password": PASSWORD}).json
    ((user_id,),) = database.execute("select id from accounts.users")
    ana = Person(
        user_id, email, Api(api.app, token=session["access_token"]), session["refresh_token"]
    )

    stripe.fake.order_outage(1, "reset", when="after", method="POST")
    asked = {"product": "marketplace", "code": "posting_fee"}
    opened = ana.api.post("/v1/billing/checkouts", asked, key=str(uuid.uuid4()))
    assert opened.status == 201, opened.text
    stripe.pay(opened.json["url"], "decline")
    stripe.pay(opened.json["url"])
    cloud.down = True
    assert {answer.status for answer in stripe.send_webhooks(api, times=3, shuffle=5)} == {200}
    minutes_pass(times, cloud, 3)
    cloud.down = False
    cloud.queues.clear()
    minutes_pass(times, cloud, 60)
    ana = again(ana)
    assert ana.api.post("/v1/marketplace/posts", POST).status == 201
    minutes_pass(times, cloud, 3)
    assert waiting() == (0, 0)
    assert len(ana.api.get("/v1/billing/payments").json["items"]) == 1
    assert database.execute("select code from billing.failed_transactions") == [
        ("generic_decline",)
    ]
