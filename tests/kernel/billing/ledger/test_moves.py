"""Credits given, given back and listed; each once, however often and by how many it is asked."""

import uuid

import pytest

from chalicelib.core import db
from chalicelib.kernel.billing.ledger import service as ledger
from tests.kernel.billing.lives import ADMIN, bought, credits_of, refund, spend, staff
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person, credit
from tests.support.races import at_once, many
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe


def give_back(transfer_id: uuid.UUID, key: str) -> bool:
    return db.write(lambda unit: ledger.give_back(unit, transfer_id, key=key))


def test_a_spend_is_given_back_once_under_whatever_key(ana: Person) -> None:
    credit(ana, 5)
    spent = spend(ana, 2)
    assert spent
    assert give_back(spent, "claim:1")
    assert not give_back(spent, "claim:1")
    assert not give_back(spent, "claim:2")
    assert ana.api.get("/v1/billing/credits").json == {
        "unit": "contact",
        "total": 5,
        "used": 0,
        "remaining": 5,
    }
    newest = ana.api.get("/v1/billing/credit_transfers").json["items"][0]
    assert (newest["reason"], newest["amount"], newest["reverses"]) == ("give_back", 2, str(spent))


def test_eight_at_once_give_back_once(ana: Person) -> None:
    credit(ana, 5)
    spent = spend(ana, 5)
    assert spent
    works = [lambda key=f"claim:{one}": give_back(spent, key) for one in range(8)]
    assert sum(at_once(works)) == 1
    assert credits_of(ana) == 5


def test_only_a_spend_is_given_back(ana: Person) -> None:
    credit(ana, 5)
    ((granted,),) = database.execute("select id from billing.credit_transfers")
    with nothing_changes():
        assert not give_back(granted, "claim:1")
        assert not give_back(uuid.uuid4(), "claim:2")


def test_what_is_given_back_repays_a_debt_first(
    api: Api, ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    paid = bought(ana, stripe, cloud)
    spent = spend(ana, 10)
    assert spent
    refund(staff(api), paid, 450)
    assert credits_of(ana) == -5
    assert give_back(spent, "claim:1")
    assert credits_of(ana) == 5


def test_staff_give_credits_once_for_each_key(api: Api, ana: Person) -> None:
    finance = staff(api)
    body = {"user_id": str(ana.id), "amount": 7}
    first = finance.api.post(f"{ADMIN}/credit_grants", body, key="one")
    assert first.status == 201, first.text
    assert (first.json["amount"], first.json["reason"]) == (7, "grant")
    assert finance.api.post(f"{ADMIN}/credit_grants", body, key="one").json == first.json
    other = finance.api.post(f"{ADMIN}/credit_grants", body | {"amount": 8}, key="one")
    assert other.code == "idempotency_key_reused"
    assert finance.api.post(f"{ADMIN}/credit_grants", body).code == "idempotency_key_required"
    many(4, lambda: finance.api.post(f"{ADMIN}/credit_grants", body, key="two"))
    assert credits_of(ana) == 14
    audited = database.execute("select action, subject, detail from core.audit_log")
    detail = {"product": "marketplace", "unit": "contact", "amount": 7}
    assert audited == [("billing.grant_credits", f"accounts.users:{ana.id}", detail)] * 2
    # Under another name the same attempt would give once more.
    moved = database.execute("select key, actor_id from billing.credit_transfers order by id")
    assert moved == [(f"grant:{finance.id}:{key}", finance.id) for key in ("one", "two")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount": 0}, "body.amount"),
        ({"amount": 10_001}, "body.amount"),
        ({"amount": "7"}, "body.amount"),
        ({"amount": 7, "unit": "gold"}, "body.unit"),
        ({"amount": 7, "user_id": "ana"}, "body.user_id"),
        ({"amount": 7, "reason": "nice"}, "body.reason"),
    ],
)
def test_what_is_no_grant_is_refused_by_field(
    api: Api, ana: Person, body: dict[str, object], field: str
) -> None:
    finance = staff(api)
    with nothing_changes():
        told = {"user_id": str(ana.id), **body}
        answer = finance.api.post(f"{ADMIN}/credit_grants", told, key="one")
        assert answer.status == 400
        assert field in {one["field"] for one in answer.json["errors"]}


def test_nobody_is_given_credits_who_is_not_there(api: Api) -> None:
    finance = staff(api)
    with nothing_changes():
        body = {"user_id": str(uuid.uuid4()), "amount": 7}
        assert finance.api.post(f"{ADMIN}/credit_grants", body, key="one").status == 404


def test_transfers_come_in_pages_and_are_ones_own(api: Api, ana: Person, ben: Person) -> None:
    for amount in (1, 2, 3):
        credit(ana, amount)
    credit(ben, 9)
    first = ana.api.get("/v1/billing/credit_transfers?limit=2").json
    second = ana.api.get(f"/v1/billing/credit_transfers?limit=2&cursor={first['next_cursor']}").json
    assert [one["amount"] for one in first["items"] + second["items"]] == [3, 2, 1]
    assert second["next_cursor"] is None
    assert api.get("/v1/billing/credit_transfers").status == 401
    wrong = ana.api.get("/v1/billing/credit_transfers?unit=gold")
    assert wrong.json["errors"][0]["field"] == "query.unit"


def test_a_transfer_is_never_changed() -> None:
    with pytest.raises(Exception, match="never changed"):
        database.execute("update billing.credit_transfers set amount = 1")
