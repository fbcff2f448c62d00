"""Disputes: a payer asks their bank for the money back. They begin outside, by the control API."""

from typing import Literal

from local.stripe.errors import Json, invalid
from local.stripe.identifiers import new_id
from local.stripe.objects.metadata import merged
from local.stripe.operations import Operation, listing, retrieving
from local.stripe.work import Work, change, create, find, record_event

_ANSWER_WITHIN = 7 * 24 * 60 * 60
_ENDED = {"won", "lost"}
DisputeStatus = Literal["needs_response", "warning_needs_response"]


def open_dispute(
    work: Work,
    charge: Json,
    *,
    reason: str,
    amount: int | None,
    status: DisputeStatus = "needs_response",
) -> Json:
    """The bank takes `amount` minor units back for now (None: what wasn't refunded); with a
    warning it only inquires, and takes nothing yet.

    Raises:
        StripeError: when the charge was disputed before, was not paid, or has nothing left.
    """
    left = charge["amount"] - charge["amount_refunded"]
    taken = left if amount is None else amount
    if charge["disputed"] or not charge["paid"] or not 0 < taken <= left:
        raise invalid(f"Charge {charge['id']} can't be disputed over {taken}.", param="charge")
    body = {
        "id": new_id("du_1"),
        "object": "dispute",
        "amount": taken,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": work.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": work.now + _ANSWER_WITHIN,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": status != "needs_response",
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": status,
    }
    create(work, body, "charge.dispute.created")
    if status == "needs_response":
        record_event(work, "charge.dispute.funds_withdrawn", body)
    change(work, charge, "charge.updated", disputed=True)
    return body


def close_dispute(work: Work, dispute: Json, outcome: Literal["won", "lost"]) -> Json:
    """The bank decides: won gives the money back to the seller.

    Raises:
        StripeError: when it is decided already.
    """
    if dispute["status"] in _ENDED:
        raise invalid("This dispute is already closed.", code="dispute_already_closed")
    closed = change(work, dispute, "charge.dispute.closed", status=outcome)
    if outcome == "won":
        record_event(work, "charge.dispute.funds_reinstated", closed)
    return closed


def _update(work: Work, identifier: str, asked: Json) -> Json:
    """Keep evidence; `submit` (true unless said otherwise) hands it to the bank."""
    body = find(work, "dispute", identifier)
    if body["status"] in _ENDED and "evidence" in asked:
        raise invalid("This dispute is already closed.")
    evidence = {**body["evidence"], **asked.get("evidence", {})}
    submits = "evidence" in asked and asked.get("submit", True)
    details = {
        **body["evidence_details"],
        "has_evidence": bool(evidence),
        "submission_count": body["evidence_details"]["submission_count"] + submits,
    }
    return change(
        work,
        body,
        "charge.dispute.updated",
        evidence=evidence,
        evidence_details=details,
        metadata=merged(body["metadata"], asked.get("metadata")),
        status="under_review" if submits else body["status"],
    )


def _close(work: Work, identifier: str, _asked: Json) -> Json:
    """The seller gives in."""
    return close_dispute(work, find(work, "dispute", identifier), "lost")


_PATH = "/v1/disputes"
OPERATIONS = (
    Operation(
        "POST",
        f"{_PATH}/{{id}}",
        "DisputeUpdateParams",
        _update,
        frozenset({"evidence", "metadata", "submit", "expand"}),
    ),
    Operation("POST", f"{_PATH}/{{id}}/close", "DisputeCloseParams", _close, frozenset({"expand"})),
    retrieving("dispute", _PATH, "DisputeRetrieveParams"),
    listing("dispute", _PATH, "DisputeListParams", ["charge", "payment_intent"]),
)
