"""Refunds: a charge given back, whole or in parts, never more than was taken."""

from local.stripe.errors import Json, invalid
from local.stripe.identifiers import new_id
from local.stripe.objects.metadata import merged
from local.stripe.operations import Operation, listing, retrieving
from local.stripe.work import Work, change, create, find, record_event


def _create(work: Work, _identifier: str, asked: Json) -> Json:
    charge = _charge(work, asked)
    left = charge["amount"] - charge["amount_refunded"]
    if _is_charged_back(work, charge):
        raise invalid(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    if left == 0:
        raise invalid(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = asked.get("amount", left)
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.",
            param="amount",
            code="parameter_invalid_integer",
        )
    if amount > left:
        whole = charge["amount_refunded"] == 0
        bound = "charge amount" if whole else "unrefunded amount on charge"
        currency = charge["currency"]
        raise invalid(
            f"Refund amount ({_money(amount, currency)}) is greater than {bound}"
            f" ({_money(left, currency)})",
            param="amount",
        )
    return _refund(work, charge, amount, asked)


def _refund(work: Work, charge: Json, amount: int, asked: Json) -> Json:
    body = {
        "id": new_id("re_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": work.now,
        "currency": charge["currency"],
        "destination_details": None,
        "metadata": merged({}, asked.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "reason": asked.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    create(work, body, "refund.created")
    returned = charge["amount_refunded"] + amount
    change(
        work,
        charge,
        "charge.refunded",
        amount_refunded=returned,
        refunded=returned == charge["amount"],
    )
    return body


def fail_refund(work: Work, refund: Json) -> Json:
    """The bank sent the money back: the charge counts as not refunded again.

    Raises:
        StripeError: when the refund has failed already.
    """
    if refund["status"] != "succeeded":
        raise invalid(f"Refund {refund['id']} has a status of {refund['status']}.")
    failed = change(
        work,
        refund,
        "refund.updated",
        status="failed",
        failure_reason="expired_or_canceled_card",
    )
    record_event(work, "refund.failed", failed)
    charge = find(work, "charge", refund["charge"])
    returned = charge["amount_refunded"] - refund["amount"]
    change(work, charge, "charge.updated", amount_refunded=returned, refunded=False)
    return failed


def _charge(work: Work, asked: Json) -> Json:
    """The charge to give back, named itself or by its payment intent."""
    if ("charge" in asked) == ("payment_intent" in asked):
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or"
            " charge."
        )
    if "charge" in asked:
        charge = find(work, "charge", asked["charge"], param="charge")
        if not charge["paid"]:
            raise invalid(f"Charge {charge['id']} was not paid and can't be refunded.")
        return charge
    intent = find(work, "payment_intent", asked["payment_intent"], param="payment_intent")
    if intent["status"] != "succeeded":
        raise invalid(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        )
    return find(work, "charge", intent["latest_charge"])


def _is_charged_back(work: Work, charge: Json) -> bool:
    """Whether the bank has the money, for now or for good."""
    where = (
        "kind = 'dispute' and json_extract(body, '$.charge') = ?"
        " and json_extract(body, '$.status') <> 'won'"
    )
    return bool(work.rows.select(where, [charge["id"]], limit=1))


def _money(amount: int, currency: str) -> str:
    return f"{amount // 100}.{amount % 100:02d} {currency.upper()}"


def _update(work: Work, identifier: str, asked: Json) -> Json:
    body = find(work, "refund", identifier)
    metadata = merged(body["metadata"], asked.get("metadata"))
    return change(work, body, "refund.updated", metadata=metadata)


_PATH = "/v1/refunds"
OPERATIONS = (
    Operation(
        "POST",
        _PATH,
        "RefundCreateParams",
        _create,
        frozenset({"amount", "charge", "payment_intent", "reason", "metadata", "expand"}),
    ),
    Operation(
        "POST", f"{_PATH}/{{id}}", "RefundUpdateParams", _update, frozenset({"metadata", "expand"})
    ),
    retrieving("refund", _PATH, "RefundRetrieveParams"),
    listing("refund", _PATH, "RefundListParams", ["charge", "payment_intent"]),
)
