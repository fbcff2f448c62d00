"""Payments and what becomes of them, as tests need them."""

import json
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import stripe as sdk
from sqlalchemy import select, true

from chalicelib.core import clock, db
from chalicelib.core.statements import statement
from chalicelib.kernel.billing.ledger import service as ledger
from tests.support import database
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud
from tests.support.environment import STRIPE_KEY
from tests.support.people import Person, give_role, pay_for, person
from tests.support.stripe import Stripe

ADMIN = "/v1/admin/marketplace"


@dataclass(frozen=True)
class Paid:
    """A payment, by our id and the provider's."""

    id: uuid.UUID
    checkout_id: uuid.UUID
    external_id: str


def staff(api: Api, role: str = "finance", product: str = "marketplace") -> Person:
    """Somebody of the product's staff."""
    made = person(api)
    give_role(made, role, product)
    return made


def bought(who: Person, stripe: Stripe, cloud: Cloud, code: str = "contacts_10") -> Paid:
    """A payment, paid and applied."""
    opened = pay_for(who, code, stripe, cloud)
    return payment_of(opened.json["id"])


def payment_of(checkout_id: str) -> Paid:
    """The payment of a checkout."""
    ((payment_id, external_id),) = database.execute(
        "select id, external_id from billing.payments where checkout_id = $1", checkout_id
    )
    return Paid(payment_id, uuid.UUID(checkout_id), external_id)


def state_of(paid: Paid) -> str:
    """A payment's state."""
    ((state,),) = database.execute("select state from billing.payments where id = $1", paid.id)
    return str(state)


def spend(who: Person, amount: int) -> uuid.UUID | None:
    """Spend credits on nothing in particular; the transfer, or None if there are not enough."""
    parameters = ledger.spend_parameters(
        who.id, "contact", amount, key=f"test:{uuid.uuid4()}", now=clock.now()
    )
    rows = db.write(lambda unit: unit.all(SPEND, **parameters))
    return rows[0][0] if rows else None


def credits_of(who: Person) -> int:
    """What is left, below zero where there is a debt."""
    left: int = who.api.get("/v1/billing/credits").json["remaining"]
    return left


def refund(by: Person, paid: Paid, amount: int | None = None, key: str | None = None) -> Answer:
    """Give money back."""
    body = {} if amount is None else {"amount": amount}
    return by.api.post(f"{ADMIN}/payments/{paid.id}/refunds", body, key=key or str(uuid.uuid4()))


def refund_at_provider(stripe: Stripe, external_id: str, amount: int) -> str:
    """Give money back past us, as in the provider's dashboard; the provider's id."""
    form = urlencode({"payment_intent": external_id, "amount": amount}).encode()
    request = urllib.request.Request(
        f"{stripe.fake.url}/v1/refunds",
        data=form,
        headers={"Authorization": f"Bearer {STRIPE_KEY}"},
    )
    with urllib.request.urlopen(request) as response:
        return str(json.load(response)["id"])


def another_page(stripe: Stripe, checkout_id: object, amount: int = 900) -> str:
    """Another page for a checkout, as nobody should ever make one; its id at the provider."""
    client = sdk.StripeClient(STRIPE_KEY, base_addresses={"api": stripe.fake.url})
    price: Any = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "contacts"}}
    session = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": price}],
            "success_url": "https://kith.example/",
            "metadata": {"checkout_id": str(checkout_id), "product": "marketplace"},
            "expires_at": stripe.fake.clock().now + 3600,
        }
    )
    return session.id


def told(api: Api, stripe: Stripe, cloud: Cloud) -> None:
    """The provider tells what it has not told yet, and it is applied."""
    stripe.send_webhooks(api)
    cloud.deliver()


SPEND = statement(select(ledger.spending(true()).moved.c.id))
