"""What webhooks lost is found: by the pages that ended, and by the daily comparison."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import clock
from chalicelib.kernel.billing import gateway
from tests.kernel.billing.lives import (
    credits_of,
    payment_of,
    refund_at_provider,
    state_of,
)
from tests.support import database
from tests.support.cloud import Cloud
from tests.support.people import Person, again
from tests.support.stripe import Stripe
from tests.support.times import Times

PACK = {"product": "marketplace", "code": "contacts_10"}
JOB = "billing_reconciliation_reconcile"


@pytest.fixture(autouse=True)
def nothing_else_at_stripe(stripe: Stripe) -> None:
    """What other tests left there is not to be compared as well."""
    stripe.fake.reset()
    stripe.fake.set_delivery_mode("drop")
    stripe.sent.clear()


def opened(who: Person, key: str = "one") -> dict[str, Any]:
    checkout: dict[str, Any] = who.api.post("/v1/billing/checkouts", PACK, key=key).json
    return checkout


def test_four_days_without_a_webhook_are_made_good(
    ana: Person, ben: Person, stripe: Stripe, cloud: Cloud, times: Times
) -> None:
    kept, returned, disputed = (
        opened(ana, "a"), opened(ben, "b"), opened(ben, "c"),
    )  # fmt: skip
    for one in (kept, returned, disputed):
        stripe.pay(one["url"])
    intents = {
        one["metadata"]["checkout_id"]: one["payment_intent"]
        for who in (ana, ben)
        for one in stripe.sessions_for(who.id)
    }
    given = refund_at_provider(stripe, intents[returned["id"]], 900)
    stripe.fake.open_dispute(intents[disputed["id"]])
    times.pass_by(timedelta(days=3))
    assert times.run(JOB)["rows"] > 0
    assert database.execute("select count(*) from billing.payments") == [(3,)]
    assert [state_of(payment_of(one["id"])) for one in (kept, returned, disputed)] == [
        "succeeded",
        "refunded",
        "disputed",
    ]
    assert database.execute("select external_id from billing.refunds") == [(given,)]
    before = _books()
    cloud.deliver()
    times.pass_by(timedelta(days=1))
    times.run(JOB)
    cloud.deliver()
    assert _books() == before


def _books() -> list[Any]:
    return database.execute(
        "select kind, balance from billing.credit_accounts order by kind, balance"
    ) + database.execute("select state, amount from billing.payments order by id")


def test_declines_that_nobody_told_of_are_noted(
    ana: Person, stripe: Stripe, cloud: Cloud, times: Times
) -> None:
    stripe.pay(opened(ana)["url"], "decline")
    times.pass_by(timedelta(days=1))
    times.run(JOB)
    cloud.deliver()
    (noted,) = again(ana).api.get("/v1/billing/failed_transactions").json["items"]
    assert (noted["code"], noted["purpose"]) == ("generic_decline", "contacts_10")


@pytest.mark.usefixtures("impatient")
def test_where_a_run_breaks_off_the_next_goes_on(
    ana: Person,
    stripe: Stripe,
    times: Times,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway, "_PAGE", 1)
    for key in ("a", "b", "c"):
        stripe.pay(opened(ana, key)["url"])
    recent, asked = gateway.recent, []

    def breaks(*arguments: Any) -> gateway.Slice:
        asked.append(arguments)
        if len(asked) > 2:
            raise ConnectionError
        return recent(*arguments)

    times.pass_by(timedelta(days=1))
    monkeypatch.setattr(gateway, "recent", breaks)
    assert times.run(JOB)["state"] == "failed"
    assert database.execute("select count(*) from billing.payments") == [(2,)]
    monkeypatch.setattr(gateway, "recent", recent)
    times.pass_by(timedelta(days=1))
    assert times.run(JOB)["state"] == "done"
    assert database.execute("select count(*) from billing.payments") == [(3,)]


def test_one_bad_object_does_not_hold_up_the_others(
    ana: Person, stripe: Stripe, times: Times
) -> None:
    bad, good = opened(ana, "a"), opened(ana, "b")
    for one in (bad, good):
        stripe.pay(one["url"])
    database.without_triggers(
        f"update billing.checkouts set amount = 1 where id = '{bad['id']}'",
        f"update billing.checkout_lines set unit_amount = 1 where checkout_id = '{bad['id']}'",
    )
    times.pass_by(timedelta(days=1))
    assert times.run(JOB)["state"] == "done"
    assert database.execute("select checkout_id::text from billing.payments") == [(good["id"],)]


def test_the_page_of_an_expired_checkout_ends_too(
    ana: Person, stripe: Stripe, times: Times
) -> None:
    checkout = opened(ana)
    database.execute(
        "update billing.checkouts set expires_at = $1", clock.now() - timedelta(minutes=1)
    )
    times.run("billing_checkouts_expire")
    assert times.run("billing_checkouts_close_pages")["rows"] == 1
    (session,) = stripe.sessions_for(ana.id)
    assert session["status"] == "expired"
    assert ana.api.get(f"/v1/billing/checkouts/{checkout['id']}").json["state"] == "expired"
    times.pass_by(timedelta(minutes=5))
    assert times.run("billing_checkouts_close_pages")["rows"] == 0


def test_what_was_paid_on_an_expired_page_is_honoured_though_no_webhook_came(
    ana: Person, stripe: Stripe, times: Times
) -> None:
    checkout = opened(ana)
    stripe.pay(checkout["url"])
    times.pass_by(timedelta(minutes=40))
    times.run("billing_checkouts_expire")
    assert times.run("billing_checkouts_close_pages")["rows"] == 1
    back = again(ana)
    assert back.api.get(f"/v1/billing/checkouts/{checkout['id']}").json["state"] == "paid"
    assert credits_of(back) == 10
