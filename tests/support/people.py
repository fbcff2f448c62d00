"""People, as they come to be: through the program itself."""

import itertools
import uuid
from dataclasses import dataclass
from typing import Any

from chalicelib.core import db
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.accounts.schemas import Credentials, SignUp, Verification
from chalicelib.kernel.billing.ledger import service as ledger
from tests.support import database
from tests.support.api import Answer, Api
from tests.support.cloud import Cloud

PASSWORD = "wild horses at dawn"
_numbers = itertools.count(1)

POST = {
    "user_type": "influencer",
    "platform": "instagram",
    "followers": 12_000,
    "interests": ["fashion", "travel"],
    "price_point": "medium",
    "description": "Street fashion from São Paulo.",
    "contact_info": {"email": "ana@contact.example", "phone": "+5511987654321"},
}


@dataclass(frozen=True)
class Person:
    """Somebody signed in."""

    id: uuid.UUID
    email: str
    api: Api
    refresh_token: str


def person(api: Api, *, verified: bool = True, email: str | None = None) -> Person:
    """Somebody new, signed in; verified unless told otherwise."""
    address = email or f"person{next(_numbers)}@kith.example"
    db.write(accounts.sign_up, SignUp(email=address, password=PASSWORD))
    ((user_id,),) = database.execute("select id from accounts.users where email = $1", address)
    if verified:
        token = db.write(accounts.mint_verification_token, user_id)
        accounts.verify_email(db.Transactions(), Verification(token=token, password=PASSWORD))
    return _signed_in(user_id, address, api)


def again(who: Person) -> Person:
    """The same person in a new session."""
    return _signed_in(who.id, who.email, who.api)


def _signed_in(user_id: uuid.UUID, address: str, api: Api) -> Person:
    tokens = accounts.sign_in(db.Transactions(), Credentials(email=address, password=PASSWORD))
    signed_in = Api(api.app, token=tokens.access_token, address=api.address)
    return Person(user_id, address, signed_in, tokens.refresh_token)


def give_role(who: Person, role: str, product: str = "all") -> None:
    """Make somebody staff."""
    database.execute(
        "insert into accounts.staff_roles (user_id, product, role, created_at)"
        " values ($1, $2, $3, '2026-11-20T00:00:00Z')",
        who.id,
        product,
        role,
    )


def pay_for(who: Person, code: str, stripe: Any, cloud: Cloud) -> Answer:
    """Buy something as a person does: checkout, the provider's page, its webhook, the queue."""
    opened = who.api.post(
        "/v1/billing/checkouts", {"product": "marketplace", "code": code}, key=str(uuid.uuid4())
    )
    assert opened.status == 201, opened.text
    stripe.pay(opened.json["url"])
    stripe.send_webhooks(Api(who.api.app))
    cloud.deliver()
    return opened


def post_of(who: Person, stripe: Any, cloud: Cloud, **changes: Any) -> str:
    """A published post; its id."""
    pay_for(who, "posting_fee", stripe, cloud)
    created = who.api.post("/v1/marketplace/posts", POST | changes)
    assert created.status == 201, created.text
    identifier: str = created.json["id"]
    return identifier


def credit(who: Person, amount: int) -> None:
    """Credits out of nowhere, where how they were bought is not what is tested."""
    with_key = f"test:{uuid.uuid4()}"
    db.write(
        lambda unit: ledger.grant(unit, who.id, "contact", amount, key=with_key, payment_id=None)
    )
