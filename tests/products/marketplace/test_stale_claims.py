"""Contacts that lead nowhere, and authors who leave: what was paid comes back, once."""

import uuid
from datetime import datetime, timedelta

import pytest

from chalicelib.core import db, outbox, settings
from chalicelib.products.marketplace.claims import service
from tests.support import database
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud
from tests.support.crowd import posts_like
from tests.support.people import PASSWORD, Person, again, credit, person, post_of
from tests.support.races import at_once, many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe
from tests.support.times import Times

POSTS = "/v1/marketplace/posts"
REVEALS = "/v1/marketplace/reveals"


def look(who: Person, post: object) -> Answer:
    return who.api.post(f"{POSTS}/{post}/reveal", key=str(uuid.uuid4()))


def claim(who: Person, post: object, key: str | None = None) -> Answer:
    return who.api.post(f"{REVEALS}/{post}/stale_claims", key=key or str(uuid.uuid4()))


def credits_of(who: Person) -> int:
    remaining: int = who.api.get("/v1/billing/credits").json["remaining"]
    return remaining


@pytest.fixture
def bought(ana: Person, ben: Person, stripe: Stripe, cloud: Cloud) -> str:
    """A post of Ana's that Ben has revealed with his one credit."""
    post = post_of(ana, stripe, cloud)
    credit(ben, 1)
    assert look(ben, post).status == 200
    return post


def test_the_credit_comes_back_and_the_contact_goes(
    bought: str, ana: Person, ben: Person, cloud: Cloud
) -> None:
    claimed = claim(ben, bought)
    assert claimed.status == 201, claimed.text
    assert claimed.json["credits_returned"] == 1
    assert credits_of(ben) == 1
    assert look(ben, bought).code == "marketplace.claimed_back"
    assert credits_of(ben) == 1
    (listed,) = ben.api.get(REVEALS).json["items"]
    listed_at, claimed_at = (
        datetime.fromisoformat(one["claimed_back_at"]) for one in (listed, claimed.json)
    )
    assert listed_at == claimed_at
    kinds = database.execute(
        "select kind from notifications.notifications where user_id = $1 order by id", ana.id
    )
    assert ("marketplace.contact_claimed_back",) in kinds


def test_the_same_attempt_again_and_another(bought: str, ben: Person) -> None:
    first = claim(ben, bought, "one")
    assert claim(ben, bought, "one").json == first.json
    with nothing_changes():
        assert claim(ben, bought, "two").code == "marketplace.claimed_back"
    assert ben.api.post(f"{REVEALS}/{bought}/stale_claims").code == "idempotency_key_required"


def test_of_many_at_once_one_gets_it_back(bought: str, ben: Person) -> None:
    answers = many(8, lambda: claim(ben, bought).status)
    assert sorted(answers) == [201] + [409] * 7
    assert credits_of(ben) == 1
    assert database.execute(
        "select used from marketplace.allowances where kind = 'stale_claim'"
    ) == [(1,)]


def test_only_the_buyer_claims(bought: str, ana: Person, api: Api, newcomer: Person) -> None:
    with nothing_changes():
        assert claim(ana, bought).status == 404
        assert newcomer.api.post(f"{REVEALS}/{bought}/stale_claims", key="k").status == 403
        assert api.post(f"{REVEALS}/{bought}/stale_claims", key="k").status == 401
        assert claim(ana, uuid.uuid4()).status == 404


def test_a_block_does_not_keep_the_money(bought: str, ana: Person, ben: Person) -> None:
    ana.api.put(f"/v1/moderation/blocks/{ben.id}")
    assert claim(ben, bought).status == 201


def test_after_two_weeks_it_is_too_late(bought: str, ben: Person, times: Times) -> None:
    times.pass_by(timedelta(days=14, minutes=1))
    ben = again(ben)
    with nothing_changes():
        assert claim(ben, bought).code == "marketplace.too_late_to_claim"


def test_a_month_has_its_limit(ana: Person, ben: Person, stripe: Stripe, cloud: Cloud) -> None:
    posts = posts_like(post_of(ana, stripe, cloud), 5)
    credit(ben, 5)
    db.write(settings.put, "marketplace", "stale_claims_per_month", 2, uuid.uuid4())
    assert {look(ben, post).status for post in posts} == {200}
    answers = at_once([lambda post=post: claim(ben, post).status for post in posts])  # type: ignore[misc]
    assert sorted(answers) == [201, 201, 429, 429, 429]
    assert credits_of(ben) == 2
    db.write(settings.put, "marketplace", "stale_claims_per_month", 0, uuid.uuid4())
    refused = [one for post in posts if (one := claim(ben, post)).status == 429]
    assert len(refused) == 3
    assert int(refused[0].headers["Retry-After"]) <= 31 * 24 * 3600


def erase(who: Person, cloud: Cloud) -> None:
    erased = again(who).api.post("/v1/me/erasure", {"password": PASSWORD})
    assert erased.status == 204, erased.text
    db.write(outbox.relay)
    cloud.deliver()


def test_who_leaves_gives_back_what_is_young(  # noqa: PLR0917  two buyers and a clock
    ana: Person, ben: Person, api: Api, stripe: Stripe, cloud: Cloud, times: Times
) -> None:
    post = post_of(ana, stripe, cloud)
    eve = person(api)
    for who in (eve, ben):
        credit(who, 1)
        assert look(again(who), post).status == 200
        times.pass_by(timedelta(days=10))
    ben, eve = again(ben), again(eve)
    cloud.deliveries = 2
    erase(ana, cloud)
    assert (credits_of(ben), credits_of(eve)) == (1, 0)
    assert look(ben, post).status == 409
    assert look(eve, post).status == 404
    rows = database.execute("select status, contact_info from marketplace.posts")
    assert rows == [("removed", None)]
    assert ben.api.get(f"{POSTS}/{post}").status == 404


def test_a_refund_takes_a_contact_that_was_paid_for(
    ana: Person, ben: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    post = post_of(ana, stripe, cloud)
    opened = ben.api.post(
        "/v1/billing/checkouts",
        {"product": "marketplace", "code": "single_reveal", "subject_id": post},
        key="single",
    )
    stripe.pay(opened.json["url"])
    stripe.send_webhooks(api)
    cloud.deliver()
    assert look(ben, post).status == 200
    checkout = uuid.UUID(opened.json["id"])
    database.execute(
        "update billing.payments set state = 'refunded' where checkout_id = $1", checkout
    )
    db.write(service.settle_paid, checkout)
    assert look(ben, post).code == "marketplace.payment_returned"
    database.execute(
        "update billing.payments set state = 'succeeded' where checkout_id = $1", checkout
    )
    db.write(service.settle_paid, checkout)
    assert look(ben, post).status == 200
