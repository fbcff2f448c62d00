"""A single contact paid for directly: handed over once, or a credit instead."""

import uuid

from tests.support import database
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud
from tests.support.people import Person, credit, post_of
from tests.support.stripe import Stripe

POSTS = "/v1/marketplace/posts"


def order(who: Person, post: str) -> Answer:
    opened = who.api.post(
        "/v1/billing/checkouts",
        {"product": "marketplace", "code": "single_reveal", "subject_id": post},
        key=str(uuid.uuid4()),
    )
    assert opened.status == 201, opened.text
    return opened


def settle(opened: Answer, stripe: Stripe, cloud: Cloud, api: Api) -> None:
    stripe.pay(opened.json["url"])
    stripe.send_webhooks(api)
    cloud.deliver()


def look(who: Person, post: str) -> Answer:
    return who.api.post(f"{POSTS}/{post}/reveal", key=str(uuid.uuid4()))


def credits_of(who: Person) -> int:
    remaining: int = who.api.get("/v1/billing/credits").json["remaining"]
    return remaining


def test_paid_means_revealed_once(
    ana: Person, ben: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    cloud.deliveries = 3
    opened = order(ben, post)
    assert look(ben, post).code == "billing.insufficient_credits"
    settle(opened, stripe, cloud, api)
    seen = look(ben, post)
    assert seen.json["revealed_via"] == "payment"
    assert seen.json["contact_info"]["phone"] == "+5511987654321"
    assert credits_of(ben) == 0
    rows = database.execute("select count(*), count(payment_id) from marketplace.contact_reveals")
    assert rows == [(1, 1)]
    assert database.execute("select count(*) from marketplace.allowances") == [(0,)]


def test_a_credit_where_it_cannot_be(
    ana: Person, ben: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    cloud.deliveries = 2
    opened = order(ben, post)
    ana.api.delete(f"{POSTS}/{post}")
    settle(opened, stripe, cloud, api)
    assert credits_of(ben) == 1
    assert look(ben, post).status == 404
    kinds = database.execute(
        "select kind from notifications.notifications where user_id = $1", ben.id
    )
    assert ("marketplace.reveal_credited",) in kinds


def test_a_credit_for_what_was_revealed_before_or_is_ones_own(
    ana: Person, ben: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    credit(ben, 1)
    opened = order(ben, post)
    look(ben, post)
    settle(opened, stripe, cloud, api)
    assert credits_of(ben) == 1
    settle(order(ana, post), stripe, cloud, api)
    assert credits_of(ana) == 1


def test_a_credit_for_somebody_blocked(
    ana: Person, ben: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    opened = order(ben, post)
    ana.api.put(f"/v1/moderation/blocks/{ben.id}")
    settle(opened, stripe, cloud, api)
    assert credits_of(ben) == 1
    assert database.execute("select count(*) from marketplace.contact_reveals") == [(0,)]
