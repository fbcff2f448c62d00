"""From signing up to a revealed contact, through the program's own doors."""

import uuid

from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import PASSWORD, POST, Person, pay_for, post_of
from tests.support.stripe import Stripe


def test_from_sign_up_to_a_revealed_contact(api: Api, cloud: Cloud, stripe: Stripe) -> None:
    assert (
        api.post("/v1/auth/sign_ups", {"email": "ana@kith.example", "password": PASSWORD}).status
        == 202
    )
    cloud.deliver()
    token = cloud.mail_to("ana@kith.example").token
    verified = api.post("/v1/auth/verifications", {"token": token, "password": PASSWORD})
    assert verified.json == {"status": "verified"}
    signed_in = api.post("/v1/auth/sessions", {"email": "ana@kith.example", "password": PASSWORD})
    ana = Api(api.app, token=signed_in.json["access_token"])

    assert ana.post("/v1/marketplace/posts", POST).code == "marketplace.posting_fee_not_paid"
    checkout = ana.post(
        "/v1/billing/checkouts", {"product": "marketplace", "code": "posting_fee"}, key="fee-1"
    )
    assert checkout.json["total"] == {"amount": 2900, "currency": "USD"}
    stripe.pay(checkout.json["url"])
    assert ana.get(f"/v1/billing/checkouts/{checkout.json['id']}").json["state"] == "open"
    assert {answer.status for answer in stripe.send_webhooks(api)} == {200}
    cloud.deliver()
    assert ana.get(f"/v1/billing/checkouts/{checkout.json['id']}").json["state"] == "paid"
    assert ana.post("/v1/marketplace/posts", POST).status == 201
    assert ana.post("/v1/marketplace/posts", POST).code == "marketplace.active_post_exists"


def test_reveal(ana: Person, ben: Person, cloud: Cloud, stripe: Stripe) -> None:
    post = post_of(ana, stripe, cloud)
    path = f"/v1/marketplace/posts/{post}/reveal"
    assert ben.api.post(path, key="one").code == "billing.insufficient_credits"
    pay_for(ben, "contacts_10", stripe, cloud)
    revealed = ben.api.post(path, key="two")
    assert revealed.status == 200, revealed.text
    assert revealed.json["contact_info"]["phone"] == "+5511987654321"
    assert ben.api.get("/v1/billing/credits").json == {
        "unit": "contact",
        "total": 10,
        "used": 1,
        "remaining": 9,
    }
    again = ben.api.post(path, key=str(uuid.uuid4()))
    assert again.json == revealed.json
    assert ben.api.get("/v1/billing/credits").json["remaining"] == 9
    assert ana.api.post(path, key="mine").code == "marketplace.own_post"
    assert [one["post_id"] for one in ben.api.get("/v1/marketplace/reveals").json["items"]] == [
        post
    ]
    assert len(ben.api.get("/v1/billing/payments").json["items"]) == 1
