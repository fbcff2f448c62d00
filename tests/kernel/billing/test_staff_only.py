"""Who may look at and change others' money: staff of the product, by role, and nobody else."""

import uuid

import pytest

from tests.kernel.billing.lives import ADMIN, staff
from tests.support.api import Api
from tests.support.people import Person
from tests.support.state import nothing_changes

_ID = "019a9e00-0000-7000-8000-000000000001"
_PRICE = {"code": "x", "kind": "fee", "name": "X", "price": {"amount": 1, "currency": "USD"}}
_GATEWAY = {"name": "x", "secret": "sk_test_secret", "webhook_secret": "whsec_secret"}

OF_PRODUCT: list[tuple[str, str, object]] = [
    ("GET", f"{ADMIN}/prices", None),
    ("POST", f"{ADMIN}/prices", _PRICE),
    ("PATCH", f"{ADMIN}/prices/{_ID}", {"name": "Y"}),
    ("POST", f"{ADMIN}/prices/{_ID}/archive", None),
    ("GET", f"{ADMIN}/payments", None),
    ("GET", f"{ADMIN}/payments/{_ID}", None),
    ("POST", f"{ADMIN}/payments/{_ID}/refunds", {}),
    ("GET", f"{ADMIN}/checkouts", None),
    ("GET", f"{ADMIN}/failed_transactions", None),
    ("GET", f"{ADMIN}/disputes", None),
    ("POST", f"{ADMIN}/credit_grants", {"user_id": _ID, "amount": 1}),
]
OF_ALL: list[tuple[str, str, object]] = [
    ("GET", "/v1/admin/webhook_events", None),
    ("POST", f"/v1/admin/webhook_events/{_ID}/replay", None),
    ("GET", "/v1/admin/payment_gateways", None),
    ("POST", "/v1/admin/payment_gateways", _GATEWAY),
    ("PATCH", f"/v1/admin/payment_gateways/{_ID}", {"is_active": False}),
]


def _called(api: Api, method: str, path: str, body: object) -> int:
    return api.call(method, path, body=body, key=str(uuid.uuid4())).status


@pytest.mark.parametrize(("method", "path", "body"), OF_PRODUCT + OF_ALL)
def test_nobody_else(api: Api, ana: Person, method: str, path: str, body: object) -> None:
    moderator, elsewhere = staff(api, "moderator"), staff(api, "finance", "couples")
    with nothing_changes():
        assert _called(api, method, path, body) == 401
        for who in (ana, moderator, elsewhere):
            assert _called(who.api, method, path, body) == 403


@pytest.mark.parametrize(("method", "path", "body"), OF_ALL)
def test_what_is_of_all_products_is_not_for_staff_of_one(
    api: Api, method: str, path: str, body: object
) -> None:
    several = [staff(api, role) for role in ("finance", "support", "admin")]
    with nothing_changes():
        for one in several:
            assert _called(one.api, method, path, body) == 403


@pytest.mark.parametrize(("method", "path", "body"), OF_PRODUCT)
def test_support_looks_but_does_not_touch(api: Api, method: str, path: str, body: object) -> None:
    may = method == "GET" and not path.endswith("/prices")
    got = _called(staff(api, "support").api, method, path, body)
    assert got in {200, 404} if may else got == 403
