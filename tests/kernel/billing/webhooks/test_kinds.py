"""Each kind of event has its effect by itself, in case the provider tells nothing else of it."""

from collections.abc import Callable

import pytest

from chalicelib.core import jobs
from tests.kernel.billing.lives import Paid, bought, credits_of, refund_at_provider, state_of, told
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person
from tests.support.stripe import Stripe

PACK = {"product": "marketplace", "code": "contacts_10"}


@pytest.fixture
def told_only(api: Api, stripe: Stripe, cloud: Cloud) -> Callable[[str], str]:
    """The provider tells of the newest event of a kind and of no other; what became of it."""

    def tell(kind: str) -> str:
        event = next(one for one in reversed(stripe.events()) if one["type"] == kind)
        assert stripe.send(api, event).status == 200
        cloud.deliver()
        ((state,),) = database.execute(
            "select state from billing.webhook_events where event_id = $1", event["id"]
        )
        return str(state)

    return tell


@pytest.fixture
def paid(api: Api, ana: Person, stripe: Stripe, cloud: Cloud) -> Paid:
    """A pack that Ana paid, and that everything was told of."""
    made = bought(ana, stripe, cloud)
    told(api, stripe, cloud)
    return made


@pytest.mark.parametrize("kind", ["refund.created", "charge.refunded"])
def test_a_refund_is_told_by_either_of_its_events(
    ana: Person, stripe: Stripe, paid: Paid, told_only: Callable[[str], str], kind: str
) -> None:
    refund_at_provider(stripe, paid.external_id, 450)
    assert told_only(kind) == "processed"
    assert (credits_of(ana), state_of(paid)) == (5, "partially_refunded")


def test_a_dispute_is_told_by_its_events(
    ana: Person, stripe: Stripe, paid: Paid, told_only: Callable[[str], str]
) -> None:
    opened = stripe.fake.open_dispute(paid.external_id)
    assert told_only("charge.dispute.created") == "processed"
    assert (credits_of(ana), state_of(paid)) == (0, "disputed")
    stripe.fake.close_dispute(opened["id"], "won")
    assert told_only("charge.dispute.closed") == "processed"
    assert (credits_of(ana), state_of(paid)) == (10, "succeeded")


def test_a_declined_card_is_told_and_kept(
    ana: Person, stripe: Stripe, told_only: Callable[[str], str]
) -> None:
    opened = ana.api.post("/v1/billing/checkouts", PACK, key="one").json
    stripe.pay(opened["url"], "decline")
    assert told_only("payment_intent.payment_failed") == "processed"
    kept = database.execute("select checkout_id::text from billing.failed_transactions")
    assert kept == [(opened["id"],)]


def test_events_are_looked_after_each_minute_and_payloads_each_night() -> None:
    due, scrub = (jobs.registered[f"billing_webhooks_{name}"] for name in ("process_due", "scrub"))
    assert due.schedule == jobs.Every(1)
    assert scrub.schedule == jobs.Daily(3, 40)
