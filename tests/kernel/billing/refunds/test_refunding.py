"""Giving money back: by staff, at the provider, in parts, twice, at once, and while it is down."""

import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from chalicelib.core import db
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts.service import paid_checkout
from tests.kernel.billing.lives import (
    ADMIN,
    bought,
    credits_of,
    payment_of,
    refund,
    refund_at_provider,
    spend,
    staff,
    state_of,
    told,
)
from tests.support import database
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud
from tests.support.environment import STRIPE_KEY
from tests.support.people import POST, Person
from tests.support.races import at_once, many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe
from tests.support.times import Times


@pytest.fixture
def finance(api: Api) -> Person:
    """Somebody who may give money back."""
    return staff(api)


def test_a_whole_refund_takes_the_credits_back(
    api: Api, ana: Person, finance: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    answer = refund(finance, paid)
    assert answer.status == 201, answer.text
    assert answer.json["total"] == {"amount": 900, "currency": "USD"}
    assert answer.json["state"] == "succeeded"
    assert answer.json["actor_id"] == str(finance.id)
    assert ana.api.get("/v1/billing/credits").json == {
        "unit": "contact",
        "total": 0,
        "used": 0,
        "remaining": 0,
    }
    assert ana.api.get("/v1/billing/payments").json["items"][0]["state"] == "refunded"
    told(api, stripe, cloud)
    assert (credits_of(ana), state_of(paid)) == (0, "refunded")
    assert database.execute(
        "select action, detail ->> 'amount' from core.audit_log where actor_id = $1", finance.id
    ) == [("billing.refund", "900")]


def test_parts_take_back_their_share_and_add_up_to_the_whole(
    ana: Person, finance: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    left = []
    for amount in (300, 300, 299, 1):
        assert refund(finance, paid, amount).status == 201
        left.append(credits_of(ana))
    assert left == [7, 4, 1, 0]
    assert state_of(paid) == "refunded"
    assert refund(finance, paid, 1).code == "billing.refund_too_large"
    assert refund(finance, paid).code == "billing.refund_too_large"


def test_what_was_spent_becomes_a_debt_that_the_next_purchase_repays(
    ana: Person, finance: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    assert spend(ana, 4)
    refund(finance, paid)
    assert ana.api.get("/v1/billing/credits").json == {
        "unit": "contact",
        "total": 0,
        "used": 4,
        "remaining": -4,
    }
    assert spend(ana, 1) is None
    bought(ana, stripe, cloud)
    assert credits_of(ana) == 6
    assert spend(ana, 6)
    reasons = [
        (one["reason"], one["amount"])
        for one in ana.api.get("/v1/billing/credit_transfers").json["items"]
    ]
    assert reasons == [
        ("spend", -6),
        ("repayment", -4),
        ("purchase", 10),
        ("take_back", -10),
        ("debt", 4),
        ("spend", -4),
        ("purchase", 10),
    ]


def test_a_refunded_fee_ends_the_right_to_post(
    ana: Person, finance: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud, "posting_fee")
    refund(finance, paid, 100)
    assert state_of(paid) == "partially_refunded"
    refund(finance, paid)
    assert ana.api.post("/v1/marketplace/posts", POST).code == "marketplace.posting_fee_not_paid"


def test_the_same_order_twice_is_one_refund(
    ana: Person, finance: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    first = refund(finance, paid, 300, key="once")
    assert refund(finance, paid, 300, key="once").json == first.json
    assert refund(finance, paid, 400, key="once").code == "idempotency_key_reused"
    assert credits_of(ana) == 7


def test_of_two_whole_refunds_at_once_one_is_made(
    ana: Person, finance: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    answers = many(4, lambda: refund(finance, paid))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert credits_of(ana) == 0


def test_parts_at_once_never_pass_the_payment(
    ana: Person, finance: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    answers = many(8, lambda: refund(finance, paid, 200))
    assert [answer.status for answer in answers].count(201) == 4
    ((given,),) = database.execute(
        "select sum(amount) from billing.refunds where state <> 'failed'"
    )
    assert given == 800
    assert credits_of(ana) == 2


def test_a_spend_at_the_same_moment_is_either_before_or_after(
    api: Api, finance: Person, ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    for _ in range(5):
        paid = bought(ana, stripe, cloud)
        before = credits_of(ana)
        works: list[Callable[[], object]] = [partial(spend, ana, 3)] * 3
        works.append(partial(refund, finance, paid))
        done = at_once(works)
        assert isinstance(done[-1], Answer)
        assert done[-1].status == 201
        assert credits_of(ana) == before - 10 - 3 * sum(one is not None for one in done[:-1])


def test_a_refund_made_at_the_provider_is_taken_over(
    api: Api, ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    refund_at_provider(stripe, paid.external_id, 450)
    told(api, stripe, cloud)
    assert (credits_of(ana), state_of(paid)) == (5, "partially_refunded")
    told(api, stripe, cloud)
    assert database.execute("select state, actor_id from billing.refunds") == [("succeeded", None)]


def test_a_refund_that_the_bank_sends_back_restores(
    api: Api, ana: Person, finance: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    spend(ana, 4)
    made = refund(finance, paid)
    stripe.fake.fail_refund(made.json["external_id"])
    told(api, stripe, cloud)
    told(api, stripe, cloud)
    assert (credits_of(ana), state_of(paid)) == (6, "succeeded")
    assert refund(finance, paid).status == 201
    assert credits_of(ana) == -4


def test_while_the_bank_has_the_money_there_is_no_refund(
    api: Api, ana: Person, finance: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    stripe.fake.open_dispute(paid.external_id)
    answer = refund(finance, paid, key="one")
    assert (answer.status, answer.code) == (409, "billing.refund_refused")
    assert refund(finance, paid, key="one").code == "billing.refund_refused"
    assert credits_of(ana) == 10
    told(api, stripe, cloud)
    assert (credits_of(ana), state_of(paid)) == (0, "disputed")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_refund_that_was_cut_off_is_finished_by_the_job(
    ana: Person, finance: Person, stripe: Stripe, cloud: Cloud, times: Times, *, when: str
) -> None:
    paid = bought(ana, stripe, cloud)
    stripe.fake.order_outage(1, "error", when=when, method="POST", path="/v1/refunds")
    assert refund(finance, paid, key="one").status == 503
    assert credits_of(ana) == 10
    times.pass_by(timedelta(minutes=6))
    assert times.run("billing_refunds_finish")["rows"] == 1
    assert (credits_of(ana), state_of(paid)) == (0, "refunded")
    assert len(gateway.refunds_of(STRIPE_KEY, payment_intent=paid.external_id)) == 1
    times.pass_by(timedelta(minutes=6))
    assert times.run("billing_refunds_finish")["rows"] == 0


def test_another_products_payment_is_not_there(
    api: Api, ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    stranger = staff(api, product="couples")
    everywhere = staff(api, product="all")
    with nothing_changes():
        at = f"/payments/{paid.id}/refunds"
        assert stranger.api.post(f"{ADMIN}{at}", {}, key="a").status == 403
        assert stranger.api.post(f"/v1/admin/couples{at}", {}, key="b").status == 404
        assert everywhere.api.post(f"/v1/admin/couples{at}", {}, key="c").status == 404
        nobody = f"{ADMIN}/payments/{uuid.uuid4()}/refunds"
        assert everywhere.api.post(nobody, {}, key="d").status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount": 0}, "body.amount"),
        ({"amount": -1}, "body.amount"),
        ({"amount": "900"}, "body.amount"),
        ({"amount": 1.5}, "body.amount"),
        ({"amount": True}, "body.amount"),
        ({"reason": "because"}, "body.reason"),
        ({"currency": "USD"}, "body.currency"),
    ],
)
def test_what_is_no_refund_is_refused_by_field(
    ana: Person, finance: Person, stripe: Stripe, cloud: Cloud, *, body: object, field: str
) -> None:
    paid = bought(ana, stripe, cloud)
    with nothing_changes():
        answer = finance.api.post(f"{ADMIN}/payments/{paid.id}/refunds", body, key="x")
    assert answer.status == 400
    assert answer.json["errors"][0]["field"] == field
    assert finance.api.post(f"{ADMIN}/payments/{paid.id}/refunds", {}).status == 400


def test_a_subject_goes_with_the_price(ana: Person) -> None:
    path, key = "/v1/billing/checkouts", "one"
    subject = str(uuid.uuid4())
    wrong: list[tuple[dict[str, object], str]] = [
        ({"code": "single_reveal"}, "body.subject_id"),
        ({"code": "contacts_10", "subject_id": subject}, "body.subject_id"),
        ({"code": "single_reveal", "subject_id": subject, "quantity": 2}, "body.quantity"),
        ({"code": "single_reveal", "subject_id": "a post"}, "body.subject_id"),
    ]
    with nothing_changes():
        for body, field in wrong:
            answer = ana.api.post(path, {"product": "marketplace", **body}, key=key)
            assert answer.status == 400, answer.text
            assert answer.json["errors"][0]["field"] == field


def test_who_hands_over_is_told_what_for_and_whether_it_stands(
    api: Api, ana: Person, finance: Person, stripe: Stripe, cloud: Cloud
) -> None:
    subject = uuid.uuid4()
    body = {"product": "marketplace", "code": "single_reveal", "subject_id": str(subject)}
    opened = ana.api.post("/v1/billing/checkouts", body, key="one")
    checkout_id = uuid.UUID(opened.json["id"])
    assert db.read(paid_checkout, checkout_id) is None
    stripe.pay(opened.json["url"])
    told(api, stripe, cloud)
    found = db.write(paid_checkout, checkout_id)
    assert found is not None
    assert (found.user_id, found.purpose, found.subject_id) == (ana.id, "single_reveal", subject)
    assert found.stands
    refund(finance, payment_of(opened.json["id"]))
    again = db.write(paid_checkout, checkout_id)
    assert again == found._replace(stands=False)
    topics = {row[0] for row in database.execute("select topic from core.outbox")}
    assert {"billing.checkout_paid", "billing.payment_refunded"} <= topics


def test_what_we_did_not_sell_is_parked_without_effect(
    api: Api, ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    told(api, stripe, cloud)
    database.clean()
    refund_at_provider(stripe, paid.external_id, 450)
    stripe.fake.open_dispute(paid.external_id)
    told(api, stripe, cloud)
    assert database.execute("select distinct state from billing.webhook_events") == [("ignored",)]
    assert database.execute("select count(*) from billing.refunds") == [(0,)]
    assert database.execute("select count(*) from billing.disputes") == [(0,)]


def test_a_refund_waits_for_what_is_handed_over_at_the_moment(
    ana: Person, finance: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud, "posting_fee")
    handed = threading.Event()

    def hand_over() -> bool:
        def work(unit: db.Connection) -> bool:
            found = paid_checkout(unit, paid.checkout_id)
            handed.set()
            time.sleep(0.3)
            return found is not None and found.stands and state_of_in(unit) == "succeeded"

        def state_of_in(_unit: db.Connection) -> str:
            with database.another_connection() as other:
                ((state,),) = other.run("select state from billing.payments")
            return str(state)

        return db.write(work)

    def give_back() -> bool:
        handed.wait(5)
        return refund(finance, paid).status == 201

    assert at_once([hand_over, give_back]) == [True, True]
    assert state_of(paid) == "refunded"
