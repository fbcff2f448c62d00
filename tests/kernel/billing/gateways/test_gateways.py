"""Payment gateways: secrets go in and never come out; the active one takes the payments."""

import json
from pathlib import Path

import pytest

from chalicelib.core import db, sealing
from chalicelib.kernel.billing.gateways import service
from tests.kernel.billing.lives import bought, credits_of, refund, staff, state_of
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.environment import STRIPE_KEY
from tests.support.people import Person
from tests.support.races import at_once
from tests.support.state import nothing_changes
from tests.support.stripe import Stripe, hand_in, signed

PATH = "/v1/admin/payment_gateways"
OTHER_SECRET = "whsec_another_account"
BODY = {
    "name": "stripe_brazil",
    "public_key": "pk_test_1",
    "secret": STRIPE_KEY,
    "webhook_secret": OTHER_SECRET,
    "is_active": True,
}


@pytest.fixture
def admin(api: Api) -> Person:
    """Somebody who runs the deployment."""
    return staff(api, "admin", "all")


def test_a_secret_goes_in_and_never_comes_out(admin: Person, log_lines: Path) -> None:
    made = admin.api.post(PATH, BODY)
    assert made.status == 201, made.text
    changed = admin.api.patch(f"{PATH}/{made.json['id']}", {"secret": "sk_test_another"})
    listed = admin.api.get(PATH)
    logged = log_lines.read_text(encoding="utf-8")
    stored = str(database.execute("select * from billing.payment_gateways"))
    outbox = str(database.execute("select payload from core.outbox"))
    audit = str(database.execute("select * from core.audit_log"))
    for told in (made.text, changed.text, listed.text, logged, stored, outbox, audit):
        assert STRIPE_KEY not in told
        assert OTHER_SECRET not in told
        assert "sk_test_another" not in told
    assert listed.json["items"] == [changed.json]
    assert set(changed.json) == {
        "id", "name", "kind", "public_key", "is_active", "created_at", "updated_at",
    }  # fmt: skip


def test_a_secret_opens_only_in_its_own_row(admin: Person) -> None:
    admin.api.post(PATH, BODY)
    admin.api.post(PATH, BODY | {"name": "other", "is_active": False})
    assert {one.key for one in db.read(service.accounts)} == {STRIPE_KEY}
    database.execute(
        "update billing.payment_gateways a set secret = b.secret"
        " from billing.payment_gateways b where b.id <> a.id"
    )
    with pytest.raises(sealing.CannotOpen):
        db.read(service.accounts)


def test_the_active_one_takes_the_payments_and_settles_them_for_ever(
    api: Api, ana: Person, admin: Person, stripe: Stripe, cloud: Cloud
) -> None:
    gateway = admin.api.post(PATH, BODY).json["id"]
    paid = bought(ana, stripe, cloud)
    rows = database.execute("select gateway_id from billing.checkouts")
    assert [str(row[0]) for row in rows] == [gateway]
    assert admin.api.patch(f"{PATH}/{gateway}", {"is_active": False}).json["is_active"] is False
    assert refund(staff(api), paid).status == 201
    assert (credits_of(ana), state_of(paid)) == (0, "refunded")
    bought(ana, stripe, cloud)
    assert database.execute("select count(*) from billing.checkouts where gateway_id is null") == [
        (1,)
    ]


def test_a_wrong_key_means_payments_are_down(ana: Person, admin: Person) -> None:
    admin.api.post(PATH, BODY | {"secret": "sk_test_of_nobody"})
    body = {"product": "marketplace", "code": "contacts_10"}
    assert ana.api.post("/v1/billing/checkouts", body, key="one").status == 503


def test_each_gateway_signs_with_its_own_secret(api: Api, admin: Person, stripe: Stripe) -> None:
    event = {"id": "evt_1", "type": "customer.created", "livemode": False}
    body, header = signed(event, secret=OTHER_SECRET)
    assert hand_in(api, body, header).code == "billing.webhook_refused"
    gateway = admin.api.post(PATH, BODY).json["id"]
    assert hand_in(api, body, header).status == 200
    rows = database.execute("select gateway_id from billing.webhook_events")
    assert [str(row[0]) for row in rows] == [gateway]
    assert hand_in(api, *signed(event, secret="whsec_nobody")).status == 400
    assert hand_in(api, *signed(event | {"id": "evt_2"})).status == 200


def test_of_two_made_active_at_once_one_is(admin: Person) -> None:
    works = [
        lambda name=name: admin.api.post(PATH, BODY | {"name": name}).status
        for name in ("a", "b", "c", "d")
    ]
    assert set(at_once(works)) == {201}
    assert database.execute("select count(*) from billing.payment_gateways where is_active") == [
        (1,)
    ]


def test_a_name_is_there_once(admin: Person) -> None:
    admin.api.post(PATH, BODY)
    with nothing_changes():
        assert admin.api.post(PATH, BODY).code == "billing.gateway_exists"
        unknown = f"{PATH}/019a9e00-0000-7000-8000-000000000001"
        assert admin.api.patch(unknown, {"is_active": True}).status == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "Stripe Brazil"}, "body.name"),
        ({"kind": "paypal"}, "body.kind"),
        ({"secret": "short"}, "body.secret"),
        ({"secret": "with space in it"}, "body.secret"),
        ({"webhook_secret": 7}, "body.webhook_secret"),
        ({"is_active": "yes"}, "body.is_active"),
    ],
)
def test_what_is_no_gateway_is_refused_by_field_without_its_secret(
    admin: Person, change: dict[str, object], field: str
) -> None:
    with nothing_changes():
        answer = admin.api.post(PATH, BODY | change)
    assert answer.json["errors"][0]["field"] == field
    assert json.dumps(change.get("secret", "-")) not in answer.text
