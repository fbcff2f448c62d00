"""A key whose answer was forgotten after a month: what it did is still known, and done once."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.kernel.billing.lives import ADMIN, bought, staff
from tests.support import database, people
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud
from tests.support.people import Person
from tests.support.stripe import Stripe
from tests.support.times import Times

CHECKOUTS = "/v1/billing/checkouts"
PACK = {"product": "marketplace", "code": "contacts_10"}


@pytest.fixture
def a_month_later(times: Times) -> Callable[[Person], Person]:
    """Let the keys be forgotten; the person signs in once more."""

    def pass_by(who: Person) -> Person:
        times.pass_by(timedelta(days=31))
        times.run("core_forget_attempts")
        assert database.execute("select from core.idempotency_keys") == []
        return people.again(who)

    return pass_by


def _refused(*answers: Answer) -> None:
    assert [(one.status, one.code) for one in answers] == [
        (422, "idempotency_key_reused") for _ in answers
    ]


def test_a_checkout_is_found_again_and_no_other_is_taken_for_it(
    ana: Person, a_month_later: Callable[[Person], Person]
) -> None:
    first = ana.api.post(CHECKOUTS, PACK, key="one").json
    later = a_month_later(ana).api
    again = later.post(CHECKOUTS, PACK, key="one")
    assert (again.status, again.json["id"]) == (201, first["id"])
    _refused(
        later.post(CHECKOUTS, PACK | {"quantity": 2}, key="one"),
        later.post(CHECKOUTS, PACK | {"code": "contacts_50"}, key="one"),
    )


def test_a_refund_is_found_again_and_no_other_is_taken_for_it(
    api: Api,
    ana: Person,
    stripe: Stripe,
    cloud: Cloud,
    a_month_later: Callable[[Person], Person],
) -> None:
    paid, other = bought(ana, stripe, cloud), bought(ana, stripe, cloud)
    finance = staff(api)
    path, elsewhere = (f"{ADMIN}/payments/{one.id}/refunds" for one in (paid, other))
    first = finance.api.post(path, {"amount": 300}, key="one").json
    later = a_month_later(finance).api
    again = later.post(path, {"amount": 300}, key="one")
    assert (again.status, again.json["id"]) == (201, first["id"])
    _refused(
        later.post(path, {"amount": 301}, key="one"),
        later.post(path, {"amount": 300, "reason": "fraudulent"}, key="one"),
        later.post(elsewhere, {"amount": 300}, key="one"),
    )
    assert database.execute("select amount from billing.refunds") == [(300,)]


def test_a_grant_is_found_again_and_no_other_is_taken_for_it(
    api: Api, ana: Person, ben: Person, a_month_later: Callable[[Person], Person]
) -> None:
    finance = staff(api)
    path, body = f"{ADMIN}/credit_grants", {"user_id": str(ana.id), "amount": 3}
    first = finance.api.post(path, body, key="one").json
    later = a_month_later(finance).api
    again = later.post(path, body, key="one")
    assert (again.status, again.json) == (201, first)
    _refused(
        later.post(path, body | {"amount": 4}, key="one"),
        later.post(path, body | {"user_id": str(ben.id)}, key="one"),
    )
    assert later.post(path, body, key=str(uuid.uuid4())).status == 201
    granted = database.execute("select detail ->> 'amount' from core.audit_log")
    assert granted == [("3",), ("3",)]
