"""Buying: what is opened, paid and handed over, and for whom."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person, pay_for
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe

PATH = "/v1/billing/checkouts"
PACK = {"product": "marketplace", "code": "contacts_10"}


def test_an_open_checkout_has_a_page_to_be_paid_on(ana: Person, stripe: Stripe) -> None:
    answer = ana.api.post(PATH, PACK, key="one")
    assert answer.status == 201, answer.text
    opened = answer.json
    assert opened["state"] == "open"
    assert opened["total"] == {"amount": 900, "currency": "USD"}
    assert (opened["product"], opened["purpose"]) == ("marketplace", "contacts_10")
    assert opened["url"].startswith(stripe.fake.url)
    assert opened["paid_at"] is None
    left = datetime.fromisoformat(opened["expires_at"]) - clock.now()
    assert timedelta(minutes=30) < left <= timedelta(minutes=31)
    assert ana.api.get(f"{PATH}/{opened['id']}").json == opened


def test_the_page_asks_for_the_same_money_and_names_our_row(ana: Person, stripe: Stripe) -> None:
    opened = ana.api.post(PATH, PACK | {"quantity": 3}, key="one").json
    (session,) = stripe.sessions_for(ana.id)
    assert opened["total"] == {"amount": 2700, "currency": "USD"}
    assert (session["amount_total"], session["currency"]) == (2700, "usd")
    assert session["metadata"] == {"checkout_id": opened["id"], "product": "marketplace"}
    assert session["client_reference_id"] == opened["id"]


def test_nothing_is_handed_over_before_it_is_paid(
    ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    ana.api.post(PATH, PACK, key="one")
    stripe.send_webhooks(ana.api)
    cloud.deliver()
    assert ana.api.get("/v1/billing/credits").json["remaining"] == 0
    assert ana.api.get("/v1/billing/payments").json["items"] == []


def test_coming_back_from_the_page_hands_over_nothing(ana: Person, stripe: Stripe) -> None:
    opened = ana.api.post(PATH, PACK, key="one").json
    stripe.pay(opened["url"])
    assert ana.api.get(f"{PATH}/{opened['id']}").json["state"] == "open"
    assert ana.api.get("/v1/billing/credits").json["remaining"] == 0


def test_what_is_paid_is_handed_over_and_listed(ana: Person, stripe: Stripe, cloud: Cloud) -> None:
    opened = pay_for(ana, "contacts_10", stripe, cloud).json
    paid = ana.api.get(f"{PATH}/{opened['id']}").json
    assert paid["state"] == "paid"
    assert paid["paid_at"] is not None
    (payment,) = ana.api.get("/v1/billing/payments").json["items"]
    assert payment["total"] == opened["total"]
    assert (payment["kind"], payment["method"], payment["state"]) == (
        "contacts_10",
        "card",
        "succeeded",
    )
    assert ana.api.get("/v1/billing/credits").json == {
        "unit": "contact",
        "total": 10,
        "used": 0,
        "remaining": 10,
    }


def test_three_packs_hold_three_times_the_credits(
    ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    stripe.pay(ana.api.post(PATH, PACK | {"quantity": 3}, key="one").json["url"])
    stripe.send_webhooks(ana.api)
    cloud.deliver()
    assert ana.api.get("/v1/billing/credits").json["remaining"] == 30


def test_what_was_promised_stays_though_the_price_changes(
    ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    opened = ana.api.post(PATH, PACK, key="one").json
    before = database.execute(
        "select amount, credit_amount from billing.prices where code = 'contacts_10'"
    )
    change = "update billing.prices set amount = $1, credit_amount = $2 where code = 'contacts_10'"
    database.execute(change, 1, 1)
    try:
        stripe.pay(opened["url"])
        stripe.send_webhooks(ana.api)
        cloud.deliver()
    finally:
        database.execute(change, *before[0])
    assert ana.api.get(f"{PATH}/{opened['id']}").json["total"]["amount"] == 900
    assert ana.api.get("/v1/billing/credits").json["remaining"] == 10


def test_an_unverified_person_buys_nothing(newcomer: Person, stripe: Stripe) -> None:
    with nothing_changes():
        answer = newcomer.api.post(PATH, PACK, key="one")
    assert (answer.status, answer.code) == (403, "not_verified")
    assert stripe.sessions_for(newcomer.id) == []


@pytest.mark.parametrize(
    ("product", "code"),
    [("marketplace", "nothing"), ("tests", "contacts_10"), ("gallery", "posting_fee")],
)
def test_what_is_not_for_sale_is_not_found(ana: Person, product: str, code: str) -> None:
    with nothing_changes():
        answer = ana.api.post(PATH, {"product": product, "code": code}, key="one")
    assert (answer.status, answer.code) == (404, "billing.price_not_found")


def test_what_was_withdrawn_is_not_found(ana: Person) -> None:
    switch = "update billing.prices set is_active = $1 where code = 'contacts_10'"
    database.execute(switch, False)
    try:
        assert ana.api.post(PATH, PACK, key="one").code == "billing.price_not_found"
    finally:
        database.execute(switch, True)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"product": "Market place"}, "body.product"),
        ({"product": None}, "body.product"),
        ({"code": "CONTACTS"}, "body.code"),
        ({"code": "x" * 61}, "body.code"),
        ({"quantity": 0}, "body.quantity"),
        ({"quantity": -1}, "body.quantity"),
        ({"quantity": 11}, "body.quantity"),
        ({"quantity": 1.0}, "body.quantity"),
        ({"quantity": 1e400}, "body.quantity"),
        ({"quantity": "1"}, "body.quantity"),
        ({"quantity": True}, "body.quantity"),
        ({"quantity": 2**70}, "body.quantity"),
        ({"amount": 1}, "body.amount"),
        ({"currency": "BRL"}, "body.currency"),
        ({"user_id": str(uuid.uuid4())}, "body.user_id"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(
    ana: Person, changes: dict[str, Any], field: str
) -> None:
    with nothing_changes():
        answer = ana.api.post(PATH, PACK | changes, key="one")
    assert answer.status == 400
    if answer.code != "malformed_body":
        assert [problem["field"] for problem in answer.json["errors"]] == [field]


def test_somebody_elses_checkout_is_not_there(ana: Person, ben: Person) -> None:
    opened = ana.api.post(PATH, PACK, key="one").json
    for identifier in (opened["id"], str(uuid.uuid4())):
        answer = ben.api.get(f"{PATH}/{identifier}")
        assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("name", ["x", "1", "{7d444840-9dc0-11d1-b245-5ffdce74fad2}", "%ff"])
def test_a_bad_id_is_named(ana: Person, name: str) -> None:
    answer = ana.api.get(f"{PATH}/{name}")
    assert [problem["field"] for problem in answer.json["errors"]] == ["path.checkout_id"]


def test_payments_are_ones_own_newest_first_and_paged(
    ana: Person, ben: Person, stripe: Stripe, cloud: Cloud, api: Api
) -> None:
    for code in ("contacts_10", "contacts_50", "posting_fee"):
        pay_for(ana, code, stripe, cloud)
    pay_for(ben, "contacts_200", stripe, cloud)
    first = ana.api.get("/v1/billing/payments?limit=2").json
    rest = ana.api.get(f"/v1/billing/payments?limit=2&cursor={first['next_cursor']}").json
    assert [one["kind"] for one in first["items"]] == ["posting_fee", "contacts_50"]
    assert [one["kind"] for one in rest["items"]] == ["contacts_10"]
    assert rest["next_cursor"] is None
    stolen = ben.api.get(f"/v1/billing/payments?limit=2&cursor={first['next_cursor']}").json
    assert {one["kind"] for one in stolen["items"]} <= {"contacts_200"}
