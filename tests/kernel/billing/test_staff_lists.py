"""What staff see of payments, checkouts and declined tries, and what is one's own."""

import uuid

from tests.kernel.billing.lives import ADMIN, bought, refund, staff, told
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person
from tests.support.stripe import Stripe

PACK = {"product": "marketplace", "code": "contacts_10"}


def test_payments_by_person_kind_and_state(
    api: Api, ana: Person, ben: Person, stripe: Stripe, cloud: Cloud
) -> None:
    fee = bought(ana, stripe, cloud, "posting_fee")
    pack = bought(ana, stripe, cloud)
    other = bought(ben, stripe, cloud)
    finance = staff(api)
    refund(finance, other, 450)

    def found(query: str) -> list[str]:
        return [one["id"] for one in finance.api.get(f"{ADMIN}/payments{query}").json["items"]]

    assert found("") == [str(one.id) for one in (other, pack, fee)]
    assert found(f"?user_id={ana.id}") == [str(pack.id), str(fee.id)]
    assert found("?kind=posting_fee") == [str(fee.id)]
    assert found("?state=partially_refunded") == [str(other.id)]
    first = finance.api.get(f"{ADMIN}/payments?limit=2").json
    rest = finance.api.get(f"{ADMIN}/payments?limit=2&cursor={first['next_cursor']}").json
    assert [one["id"] for one in rest["items"]] == [str(fee.id)]
    detail = finance.api.get(f"{ADMIN}/payments/{other.id}").json
    assert detail["refunded"] == {"amount": 450, "currency": "USD"}
    assert detail["refunds"][0]["total"] == {"amount": 450, "currency": "USD"}
    assert finance.api.get(f"{ADMIN}/payments/{uuid.uuid4()}").status == 404
    everywhere = staff(api, product="all")
    assert everywhere.api.get("/v1/admin/couples/payments").json["items"] == []
    assert everywhere.api.get(f"/v1/admin/couples/payments/{other.id}").status == 404
    wrong = finance.api.get(f"{ADMIN}/payments?user_id=ana")
    assert wrong.json["errors"][0]["field"] == "query.user_id"


def test_checkouts_and_declined_tries(
    api: Api, ana: Person, ben: Person, stripe: Stripe, cloud: Cloud
) -> None:
    opened = ana.api.post("/v1/billing/checkouts", PACK, key="one").json
    stripe.pay(opened["url"], "decline")
    told(api, stripe, cloud)
    support = staff(api, "support")
    (seen,) = support.api.get(f"{ADMIN}/checkouts?state=open&purpose=contacts_10").json["items"]
    assert (seen["id"], seen["user_id"]) == (opened["id"], str(ana.id))
    assert support.api.get(f"{ADMIN}/checkouts?state=paid").json["items"] == []
    assert support.api.get(f"{ADMIN}/checkouts?user_id={ben.id}").json["items"] == []
    (declined,) = support.api.get(f"{ADMIN}/failed_transactions").json["items"]
    assert (declined["checkout_id"], declined["code"]) == (opened["id"], "generic_decline")
    assert ana.api.get("/v1/billing/failed_transactions").json["items"] == [declined]
    assert ben.api.get("/v1/billing/failed_transactions").json["items"] == []
    assert api.get("/v1/billing/failed_transactions").status == 401
    nobody = f"{ADMIN}/failed_transactions?user_id={ben.id}"
    assert support.api.get(nobody).json["items"] == []
