"""Spending the same credits from many sides at once; and what naive code would do."""

import threading
import uuid
from collections.abc import Callable
from functools import partial

import pytest

from chalicelib.core import db
from chalicelib.kernel.billing.ledger import service as ledger
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.crowd import posts_like, strangers
from tests.support.people import Person, credit, pay_for, person, post_of
from tests.support.races import CONNECTIONS, at_once
from tests.support.stripe import Stripe

CREDITS, TRIES, PAIRS = 10, 200, 200


def reveal(who: Person, post: object) -> int:
    answer = who.api.post(f"/v1/marketplace/posts/{post}/reveal", key=str(uuid.uuid4()))
    assert answer.status == 200 or answer.code == "billing.insufficient_credits", answer.text
    return answer.status


@pytest.fixture
def post(ana: Person, stripe: Stripe, cloud: Cloud) -> str:
    """A post of Ana's."""
    return post_of(ana, stripe, cloud)


def test_reading_checking_and_then_writing_overspends() -> None:
    """The negative control: if this code were right, the tests below would show nothing."""
    database.execute("create table naive (balance bigint not null)")
    database.execute("insert into naive values ($1)", CREDITS)
    barrier = threading.Barrier(CONNECTIONS)
    first = threading.local()

    def spend() -> bool:
        ((balance,),) = database.execute("select balance from naive")
        if not hasattr(first, "over"):
            first.over = True
            barrier.wait(10)
        if balance < 1:
            return False
        database.execute("update naive set balance = $1", balance - 1)
        return True

    try:
        spent = sum(at_once([spend] * TRIES))
    finally:
        database.execute("drop table naive")
    assert spent > CREDITS


def test_of_200_tries_over_16_connections_at_10_credits_10_succeed(ben: Person, post: str) -> None:
    credit(ben, CREDITS)
    posts = [post, *posts_like(post, TRIES - 1)]
    statuses = at_once([partial(reveal, ben, one) for one in posts])
    assert (statuses.count(200), statuses.count(409)) == (CREDITS, TRIES - CREDITS)
    assert ben.api.get("/v1/billing/credits").json == {
        "unit": "contact",
        "total": CREDITS,
        "used": CREDITS,
        "remaining": 0,
    }


def test_16_connections_that_reveal_the_same_200_pairs_charge_each_once(
    api: Api, post: str
) -> None:
    buyers = [person(api) for _ in range(8)]
    posts = [post, *posts_like(post, PAIRS // len(buyers) - 1)]
    for buyer in buyers:
        credit(buyer, len(posts) + 5)
    barrier = threading.Barrier(CONNECTIONS)

    def attempt(buyer: Person, one: object) -> int:
        barrier.wait(20)
        return reveal(buyer, one)

    pairs = [partial(attempt, buyer, one) for one in posts for buyer in buyers]
    works: list[Callable[[], int]] = [pair for pair in pairs for _ in range(CONNECTIONS)]
    assert set(at_once(works)) == {200}
    for buyer in buyers:
        balance = buyer.api.get("/v1/billing/credits").json
        assert (balance["used"], balance["remaining"]) == (len(posts), 5)


def test_giving_and_spending_at_once_add_up(ben: Person, post: str) -> None:
    posts = [post, *posts_like(post, 39)]

    def give(_: object) -> int:
        credit(ben, 1)
        return 0

    works = [partial(reveal, ben, one) for one in posts]
    statuses = at_once([work for one in works for work in (partial(give, ben), one)])
    spent = statuses.count(200)
    assert ben.api.get("/v1/billing/credits").json == {
        "unit": "contact",
        "total": 40,
        "used": spent,
        "remaining": 40 - spent,
    }


def test_one_key_gives_once_however_many_try(ben: Person) -> None:
    def give() -> bool:
        return db.write(
            lambda unit: ledger.grant(unit, ben.id, "contact", 7, key="gift:1", payment_id=None)
        )

    assert sum(at_once([give] * 32)) == 1
    assert ben.api.get("/v1/billing/credits").json["remaining"] == 7


def test_somebodys_first_credits_may_come_from_16_sides_at_once(api: Api) -> None:
    barrier = threading.Barrier(CONNECTIONS)

    def give(holder: uuid.UUID, side: int) -> bool:
        barrier.wait(20)
        key = f"gift:{holder}:{side}"
        return db.write(
            lambda unit: ledger.grant(unit, holder, "contact", 1, key=key, payment_id=None)
        )

    holders = strangers(20)
    works = [partial(give, holder, side) for holder in holders for side in range(CONNECTIONS)]
    assert all(at_once(works))
    assert database.execute(
        "select distinct balance from billing.credit_accounts where kind = 'wallet'"
    ) == [(CONNECTIONS,)]


def test_who_is_in_debt_does_not_spend_until_it_is_repaid(
    ben: Person, post: str, stripe: Stripe, cloud: Cloud
) -> None:
    other, third = posts_like(post, 2)
    opened = pay_for(ben, "contacts_10", stripe, cloud).json
    assert [reveal(ben, one) for one in (post, other)] == [200, 200]
    stripe.fake.open_dispute(opened["url"].rpartition("/")[2])
    stripe.send_webhooks(Api(ben.api.app))
    cloud.deliver()
    assert ben.api.get("/v1/billing/credits").json["remaining"] == -2
    for given, status in ((0, 409), (1, 409), (1, 409), (1, 200)):
        if given:
            credit(ben, given)
        assert reveal(ben, third) == status
