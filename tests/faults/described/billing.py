"""Money: what is for sale, buying it, credits, giving back, gateways and webhooks."""

import uuid

from tests.faults.described.scene import Call, Scene, described
from tests.kernel.billing.lives import Paid, bought, told
from tests.support import people
from tests.support.people import Person
from tests.support.stripe import signed

PACK = {"product": "marketplace", "code": "contacts_10"}
MARKETPLACE = {"product": "marketplace"}


def unique(prefix: str) -> str:
    """A name that nothing has yet."""
    return f"{prefix}_{uuid.uuid4().hex}"


def payment(scene: Scene, who: Person, code: str = "contacts_10") -> Paid:
    """Something bought by somebody, paid and handed over."""
    return bought(who, scene.world.stripe, scene.world.cloud, code)


def checkout(scene: Scene, who: Person, action: str | None = None) -> str:
    """A checkout that somebody opened, and what they did on its page; its id."""
    opened = who.api.post("/v1/billing/checkouts", PACK, key=str(uuid.uuid4()))
    assert opened.status == 201, opened.text
    if action is not None:
        scene.world.stripe.pay(opened.json["url"], action)
    identifier: str = opened.json["id"]
    return identifier


def declined(scene: Scene, who: Person) -> str:
    """A checkout whose card was declined, which the program has heard of; its id."""
    identifier = checkout(scene, who, "decline")
    told(scene.world.api, scene.world.stripe, scene.world.cloud)
    return identifier


def price(staff: Person) -> str:
    """A price of its own, put on sale by staff; its id."""
    made = staff.api.post("/v1/admin/marketplace/prices", new_price())
    assert made.status == 201, made.text
    identifier: str = made.json["id"]
    return identifier


def new_price() -> dict[str, object]:
    """A pack that is not for sale yet."""
    return {
        "code": unique("pack"),
        "kind": "pack",
        "name": "3 contacts",
        "price": {"amount": 300, "currency": "USD"},
        "credit_unit": "contact",
        "credit_amount": 3,
        "sort_order": 9,
    }


def new_gateway() -> dict[str, object]:
    """An account with a provider that is not known yet and takes no payments."""
    return {
        "name": unique("stripe"),
        "public_key": "pk_test_1",
        "secret": unique("sk_test"),
        "webhook_secret": unique("whsec"),
        "is_active": False,
    }


@described("billing_checkouts_prices", reach="nobody")
def prices(_scene: Scene) -> Call:
    """What is for sale."""
    return Call(query=MARKETPLACE)


@described("billing_checkouts_create", reach="nobody")
def create_checkout(scene: Scene) -> Call:
    """Buy credits."""
    return Call(by=scene.person(), body=PACK)


@described("billing_checkouts_get", reach="owner")
def get_checkout(scene: Scene) -> Call:
    """Look at what one buys."""
    buyer = scene.person()
    return Call(by=buyer, path={"checkout_id": checkout(scene, buyer)})


@described("billing_checkouts_payments", reach="nobody")
def payments(scene: Scene) -> Call:
    """What one paid."""
    buyer = scene.person()
    payment(scene, buyer)
    return Call(by=buyer)


@described("billing_payments_failures", reach="nobody")
def failures(scene: Scene) -> Call:
    """What was declined."""
    buyer = scene.person()
    declined(scene, buyer)
    return Call(by=buyer)


@described("billing_payments_search", reach="staff")
def search_payments(scene: Scene) -> Call:
    """Staff look for somebody's payments."""
    buyer = scene.person()
    payment(scene, buyer)
    staff = scene.staff_for("billing_payments_search")
    return Call(by=staff, path=MARKETPLACE, query={"user_id": buyer.id}, owner=buyer)


@described("billing_payments_get", reach="staff")
def get_payment(scene: Scene) -> Call:
    """Staff look at a payment."""
    buyer = scene.person()
    path = MARKETPLACE | {"payment_id": str(payment(scene, buyer).id)}
    return Call(by=scene.staff_for("billing_payments_get"), path=path, owner=buyer)


@described("billing_payments_search_checkouts", reach="staff")
def search_checkouts(scene: Scene) -> Call:
    """Staff look for what somebody began to buy."""
    buyer = scene.person()
    checkout(scene, buyer)
    staff = scene.staff_for("billing_payments_search_checkouts")
    return Call(by=staff, path=MARKETPLACE, query={"user_id": buyer.id}, owner=buyer)


@described("billing_payments_search_failures", reach="staff")
def search_failures(scene: Scene) -> Call:
    """Staff look for somebody's declined tries."""
    buyer = scene.person()
    declined(scene, buyer)
    staff = scene.staff_for("billing_payments_search_failures")
    return Call(by=staff, path=MARKETPLACE, query={"user_id": buyer.id}, owner=buyer)


@described("billing_payments_search_disputes", reach="staff")
def search_disputes(scene: Scene) -> Call:
    """Staff look at what banks ask back."""
    world, buyer = scene.world, scene.person()
    world.stripe.fake.open_dispute(payment(scene, buyer).external_id)
    told(world.api, world.stripe, world.cloud)
    staff = scene.staff_for("billing_payments_search_disputes")
    return Call(by=staff, path=MARKETPLACE, query={"state": "open"}, owner=buyer)


@described("billing_refunds_create", reach="staff")
def refund(scene: Scene) -> Call:
    """Staff give a part of a payment back."""
    buyer = scene.person()
    path = MARKETPLACE | {"payment_id": str(payment(scene, buyer).id)}
    staff = scene.staff_for("billing_refunds_create")
    return Call(by=staff, path=path, body={"amount": 300}, owner=buyer)


@described("billing_prices_search", reach="staff")
def search_prices(scene: Scene) -> Call:
    """Staff look at the catalogue."""
    return Call(by=scene.staff_for("billing_prices_search"), path=MARKETPLACE)


@described("billing_prices_create", reach="staff")
def create_price(scene: Scene) -> Call:
    """Staff put something on sale."""
    staff = scene.staff_for("billing_prices_create")
    return Call(by=staff, path=MARKETPLACE, body=new_price())


@described("billing_prices_change", reach="staff")
def change_price(scene: Scene) -> Call:
    """Staff change a price."""
    staff = scene.staff_for("billing_prices_change")
    path = MARKETPLACE | {"price_id": price(staff)}
    return Call(by=staff, path=path, body={"name": "three contacts"})


@described("billing_prices_archive", reach="staff")
def archive_price(scene: Scene) -> Call:
    """Staff take something off the shelf."""
    staff = scene.staff_for("billing_prices_archive")
    return Call(by=staff, path=MARKETPLACE | {"price_id": price(staff)})


@described("billing_gateways_search", reach="staff")
def search_gateways(scene: Scene) -> Call:
    """Admins look at the accounts that take payments."""
    admin = scene.staff_for("billing_gateways_search")
    admin.api.post("/v1/admin/payment_gateways", new_gateway())
    return Call(by=admin)


@described("billing_gateways_create", reach="staff")
def create_gateway(scene: Scene) -> Call:
    """Admins add an account that could take payments."""
    return Call(by=scene.staff_for("billing_gateways_create"), body=new_gateway())


@described("billing_gateways_change", reach="staff")
def change_gateway(scene: Scene) -> Call:
    """Admins change the keys of an account."""
    admin = scene.staff_for("billing_gateways_change")
    made = admin.api.post("/v1/admin/payment_gateways", new_gateway())
    body = {"secret": unique("sk_test"), "webhook_secret": unique("whsec")}
    return Call(by=admin, path={"gateway_id": made.json["id"]}, body=body)


@described("billing_ledger_balance", reach="nobody")
def balance(scene: Scene) -> Call:
    """One's credits."""
    holder = scene.person()
    people.credit(holder, 3)
    return Call(by=holder)


@described("billing_ledger_transfers", reach="nobody")
def transfers(scene: Scene) -> Call:
    """What moved one's credits."""
    holder = scene.person()
    people.credit(holder, 3)
    return Call(by=holder)


@described("billing_ledger_grant", reach="staff")
def grant(scene: Scene) -> Call:
    """Staff give somebody credits."""
    holder = scene.person()
    body = {"user_id": str(holder.id), "amount": 3}
    staff = scene.staff_for("billing_ledger_grant")
    return Call(by=staff, path=MARKETPLACE, body=body, owner=holder)


@described("billing_webhooks_stripe", reach="token")
def webhook(scene: Scene) -> Call:
    """Stripe tells, under its signature, that a checkout was paid."""
    stripe, buyer = scene.world.stripe, scene.person()
    identifier = checkout(scene, buyer, "pay")
    (event,) = (
        one
        for one in stripe.events()
        if one["type"] == "checkout.session.completed"
        and one["data"]["object"]["client_reference_id"] == identifier
    )
    stripe.sent.add(event["id"])
    body, signature = signed(event)
    return Call(raw=body, headers={"Stripe-Signature": signature}, owner=buyer)


@described("billing_webhooks_search", reach="staff")
def search_webhooks(scene: Scene) -> Call:
    """Staff look at what Stripe told."""
    payment(scene, scene.person())
    return Call(by=scene.staff_for("billing_webhooks_search"))


@described("billing_webhooks_replay", reach="staff")
def replay(scene: Scene) -> Call:
    """Staff have an event applied once more."""
    payment(scene, scene.person())
    staff = scene.staff_for("billing_webhooks_replay")
    heard = staff.api.get("/v1/admin/webhook_events?type=checkout.session.completed")
    return Call(by=staff, path={"webhook_id": heard.json["items"][0]["id"]})
