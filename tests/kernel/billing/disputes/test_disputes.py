"""A payer's bank takes the money back: for a while, or for good; told in any order."""

import itertools
import random
from typing import Any

import pytest

from tests.kernel.billing.lives import (
    bought,
    credits_of,
    refund,
    refund_at_provider,
    spend,
    staff,
    state_of,
    told,
)
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import POST, Person
from tests.support.stripe import Stripe

# What the end of a life is made of; ids, keys and times differ from telling to telling.
_OUTCOME = (
    "select state from billing.checkouts",
    "select state, amount from billing.payments",
    "select state, amount, external_id from billing.refunds order by external_id",
    "select state, amount, external_id from billing.disputes order by external_id",
    "select kind, balance from billing.credit_accounts order by kind",
)
_AFTERMATH = (
    "delete from billing.credit_transfers",
    "delete from billing.credit_accounts where kind <> 'issuer'",
    "delete from billing.refunds",
    "delete from billing.disputes",
    "delete from billing.payments",
    "delete from core.outbox",
    "delete from core.deliveries",
    "update billing.checkouts set state = 'open', paid_at = null",
    "delete from billing.webhook_events",
)
LIVES = {
    "refunded in two parts": ["refund 300", "refund 300"],
    "refunded in part, then disputed and won": ["refund 450", "dispute", "won"],
    "disputed and lost": ["dispute", "lost"],
    "disputed and won, then refunded": ["dispute", "won", "refund 900"],
    "refunded, and the bank sends it back": ["refund 900", "fail"],
}


def test_a_dispute_takes_the_credits_and_winning_it_restores_them_once(
    api: Api, ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    spend(ana, 3)
    opened = stripe.fake.open_dispute(paid.external_id)
    told(api, stripe, cloud)
    assert (credits_of(ana), state_of(paid)) == (-3, "disputed")
    assert spend(ana, 1) is None
    stripe.fake.close_dispute(opened["id"], "won")
    stripe.send_webhooks(api, times=3)
    cloud.deliver()
    assert (credits_of(ana), state_of(paid)) == (7, "succeeded")


def test_a_lost_dispute_stays(api: Api, ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    paid = bought(ana, stripe, cloud, "posting_fee")
    opened = stripe.fake.open_dispute(paid.external_id)
    told(api, stripe, cloud)
    assert ana.api.post("/v1/marketplace/posts", POST).code == "marketplace.posting_fee_not_paid"
    stripe.fake.close_dispute(opened["id"], "lost")
    told(api, stripe, cloud)
    assert state_of(paid) == "disputed"
    assert ana.api.post("/v1/marketplace/posts", POST).code == "marketplace.posting_fee_not_paid"
    topics = [row[0] for row in database.execute("select topic from core.outbox order by id")]
    assert topics.count("billing.payment_disputed") == 1


def test_winning_gives_the_right_to_post_back(
    api: Api, ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud, "posting_fee")
    opened = stripe.fake.open_dispute(paid.external_id)
    told(api, stripe, cloud)
    stripe.fake.close_dispute(opened["id"], "won")
    told(api, stripe, cloud)
    assert ana.api.post("/v1/marketplace/posts", POST).status == 201


def test_a_debt_from_a_dispute_is_repaid_and_winning_gives_both(
    api: Api, ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    spend(ana, 10)
    opened = stripe.fake.open_dispute(paid.external_id)
    told(api, stripe, cloud)
    assert credits_of(ana) == -10
    bought(ana, stripe, cloud)
    assert credits_of(ana) == 0
    stripe.fake.close_dispute(opened["id"], "won")
    told(api, stripe, cloud)
    assert credits_of(ana) == 10


def test_staff_see_disputes(api: Api, ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    paid = bought(ana, stripe, cloud)
    stripe.fake.open_dispute(paid.external_id, amount=500)
    told(api, stripe, cloud)
    seen = staff(api, "support").api
    (dispute,) = seen.get("/v1/admin/marketplace/disputes?state=open").json["items"]
    assert dispute["total"] == {"amount": 500, "currency": "USD"}
    assert dispute["payment_id"] == str(paid.id)
    assert seen.get("/v1/admin/marketplace/disputes?state=won").json["items"] == []
    detail = seen.get(f"/v1/admin/marketplace/payments/{paid.id}").json
    assert detail["disputes"] == [dispute]


def _deed(stripe: Stripe, paid: Any, deed: str, made: list[str]) -> None:
    """What happens at the provider."""
    name, _, amount = deed.partition(" ")
    if name == "refund":
        made.append(refund_at_provider(stripe, paid.external_id, int(amount)))
    elif name == "fail":
        stripe.fake.fail_refund(made[-1])
    elif name == "dispute":
        made.append(stripe.fake.open_dispute(paid.external_id)["id"])
    else:
        stripe.fake.close_dispute(made[-1], name)


def _told_anew(api: Api, stripe: Stripe, cloud: Cloud, events: list[Any]) -> Any:
    """The outcome of telling events in this order to a program that knows of the checkout alone."""
    database.without_triggers(*_AFTERMATH)
    for event in events:
        assert stripe.send(api, event).status == 200
        cloud.deliver()
    return tuple(tuple(database.execute(sql)) for sql in _OUTCOME)


@pytest.mark.parametrize("life", LIVES)
def test_every_order_ends_in_one_state(
    api: Api, ana: Person, stripe: Stripe, cloud: Cloud, life: str
) -> None:
    paid = bought(ana, stripe, cloud)
    made: list[str] = []
    for deed in LIVES[life]:
        _deed(stripe, paid, deed, made)
    told(api, stripe, cloud)
    expected = tuple(tuple(database.execute(sql)) for sql in _OUTCOME)
    ours = [
        event
        for event in stripe.events()
        if event["type"].startswith(("checkout.session.completed", "refund.", "charge.dispute."))
        or event["type"] == "charge.refunded"
        if paid.external_id in str(event["data"]["object"])
    ]
    orders = list(itertools.permutations(ours))
    chance = random.Random(7)
    for order in chance.sample(orders, min(len(orders), 10)):
        doubled = [*order, *chance.sample(order, 2)]
        assert _told_anew(api, stripe, cloud, doubled) == expected


def test_told_between_the_deeds_it_ends_the_same(
    api: Api, stripe: Stripe, cloud: Cloud, ana: Person, ben: Person
) -> None:
    outcomes = set()
    for who, between in ((ana, True), (ben, False)):
        paid = bought(who, stripe, cloud)
        spend(who, 2)
        made: list[str] = []
        for deed in ("refund 450", "dispute", "won", "refund 450"):
            _deed(stripe, paid, deed, made)
            if between:
                told(api, stripe, cloud)
        told(api, stripe, cloud)
        outcomes.add((credits_of(who), state_of(paid)))
    assert outcomes == {(-2, "refunded")}


def test_a_dispute_after_a_refund_of_ours_counts_what_is_left(
    api: Api, ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    refund(staff(api), paid, 450)
    stripe.fake.open_dispute(paid.external_id)
    told(api, stripe, cloud)
    assert (credits_of(ana), state_of(paid)) == (0, "disputed")
