"""What staff see of webhooks, and what they can have done again."""

import json
import uuid
from datetime import timedelta

import pytest

from chalicelib.core import clock
from tests.kernel.billing.lives import bought, credits_of, staff
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person
from tests.support.races import many
from tests.support.stripe import Stripe
from tests.support.times import Times

PATH = "/v1/admin/webhook_events"


@pytest.fixture
def support(api: Api) -> Person:
    """Somebody who helps people, in every product."""
    return staff(api, "support", "all")


def test_events_are_listed_by_state_and_type_without_what_they_say(
    ana: Person, support: Person, stripe: Stripe, cloud: Cloud
) -> None:
    bought(ana, stripe, cloud)
    every = support.api.get(f"{PATH}?limit=50")
    assert len(every.json["items"]) > 2
    (done,) = support.api.get(f"{PATH}?type=checkout.session.completed").json["items"]
    assert (done["state"], done["attempts"], done["error"]) == ("processed", 0, None)
    assert done["object_id"].startswith("cs_")
    ignored = support.api.get(f"{PATH}?state=ignored").json["items"]
    assert {one["state"] for one in ignored} == {"ignored"}
    assert "buyer@example.com" not in every.text
    assert support.api.get(f"{PATH}?state=lost").json["errors"][0]["field"] == "query.state"


def test_what_failed_is_replayed_and_what_was_done_is_not_done_twice(
    api: Api, ana: Person, support: Person, stripe: Stripe, cloud: Cloud
) -> None:
    bought(ana, stripe, cloud)
    (done,) = support.api.get(f"{PATH}?type=checkout.session.completed").json["items"]
    database.execute(
        "update billing.webhook_events set state = 'failed', attempts = 12, error = 'Unavailable'"
        " where id = $1",
        done["id"],
    )
    replayed = support.api.post(f"{PATH}/{done['id']}/replay")
    assert (replayed.json["state"], replayed.json["attempts"]) == ("pending", 0)
    many(3, lambda: support.api.post(f"{PATH}/{done['id']}/replay"))
    cloud.deliver()
    (again,) = support.api.get(f"{PATH}?type=checkout.session.completed").json["items"]
    assert again["state"] == "processed"
    assert credits_of(ana) == 10
    actions = database.execute("select action, subject from core.audit_log")
    assert set(actions) == {("billing.replay_webhook", f"billing.webhook_events:{done['id']}")}
    assert support.api.post(f"{PATH}/{uuid.uuid4()}/replay").status == 404


def test_payloads_keep_nothing_but_ids_after_a_month(
    ana: Person, stripe: Stripe, cloud: Cloud, times: Times
) -> None:
    bought(ana, stripe, cloud)
    before = database.execute(
        "select id, payload -> 'data' -> 'object' ->> 'id' as named"
        " from billing.webhook_events order by id"
    )
    times.run("billing_webhooks_scrub")
    assert "buyer@example.com" in str(
        database.execute("select payload from billing.webhook_events")
    )
    database.execute(
        "update billing.webhook_events set created_at = $1", clock.now() - timedelta(days=31)
    )
    times.pass_by(timedelta(days=1))
    assert times.run("billing_webhooks_scrub")["rows"] == len(before)
    after = database.execute(
        "select id, payload -> 'data' -> 'object' ->> 'id' as named"
        " from billing.webhook_events order by id"
    )
    assert after == before
    for (payload,) in database.execute("select payload::text from billing.webhook_events"):
        assert set(json.loads(payload)) == {"id", "type", "data"}
    times.pass_by(timedelta(days=1))
    assert times.run("billing_webhooks_scrub")["rows"] == 0
