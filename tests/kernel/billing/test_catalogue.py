"""The catalogue: put on sale, changed, archived; what was promised stays as it was."""

from collections.abc import Iterator

import pytest

from tests.kernel.billing.lives import ADMIN, credits_of, staff, told
from tests.support import database, invariants
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person
from tests.support.races import many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe

PACK = {
    "code": "contacts_3",
    "kind": "pack",
    "name": "3 contacts",
    "price": {"amount": 300, "currency": "USD"},
    "credit_unit": "contact",
    "credit_amount": 3,
    "sort_order": 9,
}


@pytest.fixture
def finance(api: Api) -> Iterator[Person]:
    """Somebody who may change the catalogue; it is as it was afterwards."""
    yield staff(api)
    assert invariants.broken() == {}
    database.clean()
    database.execute("delete from billing.prices where code = 'contacts_3'")


def _codes(api: Api) -> list[str]:
    items = api.get("/v1/billing/prices?product=marketplace").json["items"]
    return [one["code"] for one in items]


def test_what_is_put_on_sale_is_sold_until_it_is_archived(
    api: Api, ana: Person, finance: Person
) -> None:
    made = finance.api.post(f"{ADMIN}/prices", PACK)
    assert made.status == 201, made.text
    assert made.json["price"] == PACK["price"]
    assert "contacts_3" in _codes(api)
    path = f"{ADMIN}/prices/{made.json['id']}"
    archived = finance.api.post(f"{path}/archive")
    assert archived.json["is_active"] is False
    assert finance.api.post(f"{path}/archive").json["is_active"] is False
    assert "contacts_3" not in _codes(api)
    body = {"product": "marketplace", "code": "contacts_3"}
    assert ana.api.post("/v1/billing/checkouts", body, key="a").code == "billing.price_not_found"
    listed = finance.api.get(f"{ADMIN}/prices").json["items"]
    assert {one["code"]: one["is_active"] for one in listed}["contacts_3"] is False
    assert finance.api.patch(path, {"is_active": True}).json["is_active"]
    assert ana.api.post("/v1/billing/checkouts", body, key="b").status == 201
    actions = database.execute("select action from core.audit_log order by id")
    assert [row[0] for row in actions] == [
        "billing.create_price",
        *["billing.change_price"] * 3,
    ]


def test_whatever_is_put_on_sale_can_be_paid(ana: Person, finance: Person) -> None:
    dearest = {"amount": 9_999_999, "currency": "USD"}
    made = finance.api.post(f"{ADMIN}/prices", PACK | {"price": dearest})
    assert made.status == 201, made.text
    body = {"product": "marketplace", "code": "contacts_3", "quantity": 10}
    assert ana.api.post("/v1/billing/checkouts", body, key="a").status == 201
    dearer = {"price": dearest | {"amount": 10_000_000}}
    with nothing_changes():
        refused = [
            finance.api.patch(f"{ADMIN}/prices/{made.json['id']}", dearer),
            finance.api.post(f"{ADMIN}/prices", PACK | dearer | {"code": "contacts_4"}),
        ]
    for answer in refused:
        assert answer.status == 400
        assert [one["field"] for one in answer.json["errors"]] == ["body.price.amount"]


def test_an_open_checkout_keeps_its_price_and_its_credits(
    api: Api, ana: Person, finance: Person, stripe: Stripe, cloud: Cloud
) -> None:
    made = finance.api.post(f"{ADMIN}/prices", PACK).json
    body = {"product": "marketplace", "code": "contacts_3"}
    opened = ana.api.post("/v1/billing/checkouts", body, key="a")
    changed = finance.api.patch(
        f"{ADMIN}/prices/{made['id']}",
        {"price": {"amount": 999, "currency": "USD"}, "credit_amount": 1, "name": "1 contact"},
    )
    assert (changed.json["price"]["amount"], changed.json["credit_amount"]) == (999, 1)
    path = f"/v1/billing/checkouts/{opened.json['id']}"
    assert ana.api.get(path).json["total"]["amount"] == 300
    stripe.pay(opened.json["url"])
    told(api, stripe, cloud)
    assert ana.api.get(path).json["state"] == "paid"
    assert credits_of(ana) == 3
    other = ana.api.post("/v1/billing/checkouts", body, key="b")
    assert other.json["total"]["amount"] == 999


def test_a_code_is_there_once(finance: Person) -> None:
    answers = many(4, lambda: finance.api.post(f"{ADMIN}/prices", PACK))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    with nothing_changes():
        assert finance.api.post(f"{ADMIN}/prices", PACK).code == "billing.price_exists"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "Three"}, "body.code"),
        ({"kind": "gift"}, "body.kind"),
        ({"name": ""}, "body.name"),
        ({"price": {"amount": 0, "currency": "USD"}}, "body.price.amount"),
        ({"price": {"amount": 1.5, "currency": "USD"}}, "body.price.amount"),
        ({"price": {"amount": 1, "currency": "usd"}}, "body.price.currency"),
        ({"credit_unit": "gold"}, "body.credit_unit"),
        ({"credit_amount": -1}, "body.credit_amount"),
        ({"credit_amount": None}, "body.credit_amount"),
        ({"kind": "fee"}, "body.credit_amount"),
        ({"takes_subject": True}, "body.takes_subject"),
        ({"id": "019a9e00-0000-7000-8000-000000000001"}, "body.id"),
    ],
)
def test_what_is_no_price_is_refused_by_field(
    finance: Person, change: dict[str, object], field: str
) -> None:
    with nothing_changes():
        answer = finance.api.post(f"{ADMIN}/prices", PACK | change)
    assert answer.status == 400, answer.text
    assert answer.json["errors"][0]["field"] == field


def test_only_a_pack_is_given_credits(api: Api, finance: Person) -> None:
    fee = next(
        one["id"]
        for one in finance.api.get(f"{ADMIN}/prices").json["items"]
        if one["code"] == "posting_fee"
    )
    with nothing_changes():
        answer = finance.api.patch(f"{ADMIN}/prices/{fee}", {"credit_amount": 3})
        assert answer.json["errors"][0]["field"] == "body.credit_amount"
    couples = staff(api, product="all")
    with nothing_changes():
        missing = f"/v1/admin/couples/prices/{fee}"
        assert couples.api.patch(missing, {"name": "Mine"}).status == 404
        assert couples.api.post(f"{missing}/archive").status == 404
        assert couples.api.post("/v1/admin/couples/prices", PACK).status == 404
