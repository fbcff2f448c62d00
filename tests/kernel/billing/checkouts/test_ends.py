"""How a checkout can end: paid, late, at the second try, by Pix, or not at all."""

from datetime import timedelta
from typing import Any

import pytest
import stripe as sdk

from local.stripe.errors import Json
from local.stripe.objects import payments
from local.stripe.work import Work
from tests.kernel.billing.lives import another_page
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person, again
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe
from tests.support.times import Times

PATH = "/v1/billing/checkouts"
PACK = {"product": "marketplace", "code": "contacts_10"}
BRAZILIAN = {"product": "tests", "code": "pacote"}
EXPIRE = "billing_checkouts_expire"


class Buyer:
    """Somebody with an open checkout, who hears of it from Stripe."""

    def __init__(self, who: Person, stripe: Stripe, cloud: Cloud, asked: dict[str, Any]) -> None:
        self.who, self.stripe, self.cloud = who, stripe, cloud
        opened = who.api.post(PATH, asked, key="one").json
        self.id, self.url = opened["id"], opened["url"]

    def do(self, action: str, *, told: bool = True) -> None:
        """What the buyer, or their bank, does; and the webhooks of it."""
        self.stripe.pay(self.url, action)
        if told:
            self.hear()

    def hear(self) -> None:
        """The webhooks that wait are sent and applied."""
        self.stripe.send_webhooks(Api(self.who.api.app))
        self.cloud.deliver()

    def state(self) -> str:
        """The state of the checkout."""
        state: str = again(self.who).api.get(f"{PATH}/{self.id}").json["state"]
        return state

    def has(self) -> int:
        """The credits bought."""
        left: int = again(self.who).api.get("/v1/billing/credits").json["remaining"]
        return left


@pytest.fixture
def buyer(ana: Person, stripe: Stripe, cloud: Cloud) -> Buyer:
    """Ana, about to buy ten contacts by card."""
    return Buyer(ana, stripe, cloud, PACK)


@pytest.fixture
def brazilian(ana: Person, stripe: Stripe, cloud: Cloud) -> Buyer:
    """Ana, about to buy 25 contacts for reais."""
    return Buyer(ana, stripe, cloud, BRAZILIAN)


def failures() -> list[str]:
    return [row[0] for row in database.execute("select code from billing.failed_transactions")]


def methods() -> list[str]:
    return [row[0] for row in database.execute("select method from billing.payments")]


@pytest.mark.parametrize("action", ["cancel", "wait"])
def test_who_goes_away_may_come_back_and_pay(buyer: Buyer, action: str) -> None:
    buyer.do(action)
    assert buyer.state() == "open"
    buyer.do("pay")
    assert (buyer.state(), buyer.has()) == ("paid", 10)


def test_a_declined_card_is_noted_and_the_next_try_may_pay(buyer: Buyer) -> None:
    buyer.do("decline")
    assert (buyer.state(), buyer.has(), failures()) == ("open", 0, ["generic_decline"])
    buyer.do("decline")
    buyer.do("pay")
    assert (buyer.state(), buyer.has()) == ("paid", 10)
    assert failures() == ["generic_decline"] * 2


def test_a_decline_is_noted_though_its_event_comes_after_the_payment(buyer: Buyer) -> None:
    buyer.do("decline", told=False)
    buyer.do("pay", told=False)
    buyer.hear()
    assert (buyer.state(), failures()) == ("paid", ["generic_decline"])


def test_a_checkout_nobody_pays_is_closed_after_half_an_hour(buyer: Buyer, times: Times) -> None:
    times.pass_by(timedelta(minutes=30))
    assert times.run(EXPIRE)["rows"] == 0
    assert buyer.state() == "open"
    times.pass_by(timedelta(minutes=5))
    assert times.run(EXPIRE)["rows"] == 1
    assert buyer.state() == "expired"
    times.pass_by(timedelta(minutes=5))
    with_before = buyer.has()
    assert times.run(EXPIRE)["rows"] == 0
    assert with_before == 0


def test_a_checkout_is_closed_by_stripes_word_as_well(buyer: Buyer, times: Times) -> None:
    times.pass_by(timedelta(minutes=32))
    buyer.hear()
    assert buyer.state() == "expired"


def test_a_payment_that_we_hear_of_after_closing_is_honoured(buyer: Buyer, times: Times) -> None:
    buyer.do("pay", told=False)
    times.pass_by(timedelta(hours=2))
    times.run(EXPIRE)
    assert buyer.state() == "expired"
    buyer.hear()
    assert (buyer.state(), buyer.has()) == ("paid", 10)


def test_what_is_paid_is_not_closed_any_more(buyer: Buyer, times: Times) -> None:
    buyer.do("pay")
    times.pass_by(timedelta(hours=2))
    times.run(EXPIRE)
    assert (buyer.state(), buyer.has()) == ("paid", 10)


def test_closing_many_takes_them_all(ana: Person, times: Times) -> None:
    first = ana.api.post(PATH, PACK, key="one").json["id"]
    database.execute(
        "insert into billing.checkouts select (jsonb_populate_record(c, jsonb_build_object("
        "'id', gen_random_uuid(), 'attempt', n::text, 'external_id', 'cs_' || n))).*"
        " from billing.checkouts c, generate_series(1, 1200) n where c.id = $1",
        first,
    )
    database.execute(
        "insert into billing.checkout_lines select (jsonb_populate_record(l, jsonb_build_object("
        "'id', gen_random_uuid(), 'checkout_id', c.id))).*"
        " from billing.checkout_lines l, billing.checkouts c where c.id <> $1",
        first,
    )
    times.pass_by(timedelta(hours=1))
    assert times.run(EXPIRE)["rows"] == 1201
    assert database.execute("select distinct state from billing.checkouts") == [("expired",)]


def test_what_is_paid_by_a_wallet_of_stripes_is_handed_over_too(
    buyer: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe offers what the account has switched on, Link for one, besides the bare card."""
    succeed = payments.succeed

    def by_link(work: Work, intent: Json, *, method: str, billing: Json) -> Json:
        return succeed(work, intent, method="link", billing=billing)

    monkeypatch.setattr(payments, "succeed", by_link)
    buyer.do("pay")
    assert (buyer.state(), buyer.has(), methods()) == ("paid", 10, ["card"])


def test_pix_is_paid_when_the_bank_says_so_and_not_when_the_code_is_shown(
    brazilian: Buyer,
) -> None:
    brazilian.do("pix")
    assert (brazilian.state(), brazilian.has()) == ("open", 0)
    brazilian.do("pix_pay")
    assert (brazilian.state(), brazilian.has(), methods()) == ("paid", 25, ["pix"])


def test_a_pix_that_ran_out_hands_over_nothing(brazilian: Buyer) -> None:
    brazilian.do("pix")
    brazilian.do("pix_expire")
    assert (brazilian.state(), brazilian.has()) == ("open", 0)
    assert failures() == ["payment_intent_payment_attempt_expired"]


def test_a_pix_that_is_paid_late_is_honoured(brazilian: Buyer, times: Times) -> None:
    brazilian.do("pix")
    times.pass_by(timedelta(hours=5))
    times.run(EXPIRE)
    brazilian.hear()
    assert brazilian.state() == "expired"
    brazilian.do("pix_pay_late")
    assert (brazilian.state(), brazilian.has(), methods()) == ("paid", 25, ["pix"])


@pytest.fixture
def second_page(buyer: Buyer) -> str:
    """Another page for the same checkout, as nobody should ever make one; its id at Stripe."""
    return another_page(buyer.stripe, buyer.id)


def test_a_paid_checkout_stays_paid_when_another_page_of_it_ends(
    buyer: Buyer, second_page: str, times: Times
) -> None:
    buyer.do("pay")
    times.pass_by(timedelta(hours=2))
    buyer.hear()
    assert {one["id"]: one["status"] for one in buyer.stripe.sessions_for(buyer.who.id)}[
        second_page
    ] == "expired"
    assert (buyer.state(), buyer.has()) == ("paid", 10)


def test_the_end_of_a_page_left_behind_is_not_the_checkouts(buyer: Buyer, second_page: str) -> None:
    client = sdk.StripeClient("sk_test_kith", base_addresses={"api": buyer.stripe.fake.url})
    client.v1.checkout.sessions.expire(second_page)
    buyer.hear()
    assert buyer.state() == "open"
    buyer.do("pay")
    assert (buyer.state(), buyer.has()) == ("paid", 10)


def test_looking_at_a_checkout_changes_nothing(buyer: Buyer, ana: Person) -> None:
    buyer.do("pay", told=False)
    with nothing_changes():
        for _ in range(2):
            assert ana.api.get(f"{PATH}/{buyer.id}").json["state"] == "open"
