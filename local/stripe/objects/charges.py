"""Charges: each try to take money for a payment intent, whether it went well or not."""

from local.stripe.errors import Json, not_implemented
from local.stripe.identifiers import new_id
from local.stripe.objects.metadata import merged
from local.stripe.operations import Operation, listing, retrieving
from local.stripe.work import Work, change, create, find

CARD: Json = {
    "brand": "visa",
    "country": "US",
    "exp_month": 12,
    "exp_year": 2034,
    "fingerprint": "LocalFakeCard4242",
    "funding": "credit",
    "last4": "4242",
    "network": "visa",
}


def billing_details(email: str | None, name: str | None) -> Json:
    """Who pays, as the payment page knows."""
    return {"address": None, "email": email, "name": name, "phone": None, "tax_id": None}


def create_charge(
    work: Work, intent: Json, *, method: str, billing: Json, failure: Json | None = None
) -> Json:
    """Record one try by `card` or `pix`; with a `failure` (code and message) it failed."""
    paid = failure is None
    identifier = new_id("ch_3")
    details = CARD if method == "card" else {"bank_transaction_id": new_id("E", 31)}
    amount = intent["amount"]
    body = {
        "id": identifier,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if paid else 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": billing,
        "captured": paid,
        "created": work.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None if failure is None else failure["code"],
        "failure_message": None if failure is None else failure["message"],
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": _outcome(failure),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": new_id("pm_1"),
        "payment_method_details": {"type": method, method: details},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "shipping": None,
        "statement_descriptor": intent["statement_descriptor"],
        "status": "succeeded" if paid else "failed",
        "transfer_group": intent["transfer_group"],
    }
    return create(work, body, "charge.succeeded" if paid else "charge.failed")


def _outcome(failure: Json | None) -> Json:
    if failure is None:
        return {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    return {
        "network_status": "declined_by_network",
        "reason": failure.get("decline_code"),
        "risk_level": "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }


def _update(work: Work, identifier: str, asked: Json) -> Json:
    body = find(work, "charge", identifier)
    changes = {
        name: asked[name] or None for name in ("description", "receipt_email") if name in asked
    }
    metadata = merged(body["metadata"], asked.get("metadata"))
    return change(work, body, "charge.updated", **changes, metadata=metadata)


def _create(_work: Work, _identifier: str, _asked: Json) -> Json:
    raise not_implemented("creating charges directly: create a payment intent")


_PATH = "/v1/charges"
OPERATIONS = (
    Operation("POST", _PATH, "ChargeCreateParams", _create),
    Operation(
        "POST",
        f"{_PATH}/{{id}}",
        "ChargeUpdateParams",
        _update,
        frozenset({"description", "metadata", "receipt_email", "expand"}),
    ),
    retrieving("charge", _PATH, "ChargeRetrieveParams"),
    listing("charge", _PATH, "ChargeListParams", ["customer", "payment_intent", "transfer_group"]),
)
