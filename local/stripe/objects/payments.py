"""Payment intents: an amount somebody wants to be paid, by card now or by Pix within its time."""

from collections.abc import Sequence

from local.stripe.errors import Json, card_declined, invalid, not_implemented
from local.stripe.identifiers import new_id
from local.stripe.objects.charges import CARD, billing_details, create_charge
from local.stripe.objects.customers import existing_customer
from local.stripe.objects.disputes import DisputeStatus, open_dispute
from local.stripe.objects.metadata import merged
from local.stripe.objects.prices import check_currency
from local.stripe.operations import Operation, listing, retrieving
from local.stripe.work import Work, change, create, find

SMALLEST_AMOUNT = 50
_DECLINED = {"code": "card_declined", "decline_code": "generic_decline"}
_POOR = {"code": "card_declined", "decline_code": "insufficient_funds"}
# Stripe's test payment methods: each is a card, with the failure it meets
_TEST_CARDS: dict[str, Json | None] = {
    "pm_card_visa": None,
    "pm_card_createDispute": None,
    "pm_card_createDisputeInquiry": None,
    "pm_card_chargeDeclined": _DECLINED,
    "pm_card_visa_chargeDeclined": _DECLINED,
    "pm_card_chargeDeclinedInsufficientFunds": _POOR,
    "pm_card_visa_chargeDeclinedInsufficientFunds": _POOR,
}
# what the payer's bank does at once after these, as Stripe has it
_DISPUTED_AS: dict[str, DisputeStatus] = {
    "pm_card_createDispute": "needs_response",
    "pm_card_createDisputeInquiry": "warning_needs_response",
}
_MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
}
_COPIED = (
    "description",
    "receipt_email",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)
COPIED_FROM_SESSION = frozenset({*_COPIED, "metadata"})


def eligible_methods(currency: str, allowed: Sequence[str] | None) -> list[str]:
    """How this currency can be paid: card always, Pix in Brazilian reais, as far as allowed."""
    methods = ["card", "pix"] if currency == "brl" else ["card"]
    return [method for method in methods if allowed is None or method in allowed]


def create_intent(
    work: Work,
    *,
    amount: int,
    currency: str,
    customer: str | None,
    methods: list[str],
    data: Json,
    session: str | None = None,
) -> Json:
    """Make an intent of `amount` minor units. `data` has the fields a caller may set, `session` is
    the Checkout Session it is paid on.
    """
    identifier = new_id("pi_3")
    body = {
        "id": identifier,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{identifier}_secret_{new_id('')}",
        "confirmation_method": "automatic",
        "created": work.now,
        "currency": currency,
        "customer": customer,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": merged({}, data.get("metadata")),
        "next_action": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": methods,
        "processing": None,
        "setup_future_usage": None,
        "shipping": None,
        "status": "requires_payment_method",
        **{name: data.get(name) for name in _COPIED},
    }
    return create(work, body, "payment_intent.created", private={"session": session})


def succeed(work: Work, intent: Json, *, method: str, billing: Json) -> Json:
    """The money came."""
    charge = create_charge(work, intent, method=method, billing=billing)
    return change(
        work,
        intent,
        "payment_intent.succeeded",
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        payment_method=charge["payment_method"],
        next_action=None,
        last_payment_error=None,
    )


def decline(work: Work, intent: Json, *, billing: Json, failure: Json = _DECLINED) -> Json:
    """The card was refused: the intent waits for another try."""
    error = {"type": "card_error", "message": _MESSAGES[failure["decline_code"]], **failure}
    charge = create_charge(work, intent, method="card", billing=billing, failure=error)
    method = {
        "id": charge["payment_method"],
        "object": "payment_method",
        "billing_details": billing,
        "card": CARD,
        "type": "card",
    }
    return change(
        work,
        intent,
        "payment_intent.payment_failed",
        status="requires_payment_method",
        latest_charge=charge["id"],
        last_payment_error={**error, "charge": charge["id"], "payment_method": method},
    )


def await_pix(work: Work, intent: Json, *, expires_at: int, page: str) -> Json:
    """Show a Pix code which can be paid until `expires_at`, on the payment page at `page`."""
    code = f"00020126580014br.gov.bcb.pix0136{new_id('', 36)}5204000053039865802BR6304"
    display = {
        "data": code,
        "expires_at": expires_at,
        "hosted_instructions_url": page,
        "image_url_svg": f"{page}/pix.svg",
    }
    return change(
        work,
        intent,
        "payment_intent.requires_action",
        status="requires_action",
        next_action={"type": "pix_display_qr_code", "pix_display_qr_code": display},
        last_payment_error=None,
    )


def expire_pix(work: Work, intent: Json) -> Json:
    """Nobody paid the Pix in its time."""
    error = {
        "type": "invalid_request_error",
        "code": "payment_intent_payment_attempt_expired",
        "message": "The Pix expired before it was paid.",
    }
    return change(
        work,
        intent,
        "payment_intent.payment_failed",
        status="requires_payment_method",
        next_action=None,
        last_payment_error=error,
    )


def cancel(work: Work, intent: Json, reason: str) -> Json:
    """Give the intent up for good."""
    return change(
        work,
        intent,
        "payment_intent.canceled",
        status="canceled",
        canceled_at=work.now,
        cancellation_reason=reason,
        next_action=None,
    )


def _create(work: Work, _identifier: str, asked: Json) -> Json:
    currency = check_currency(asked["currency"], "currency")
    if asked["amount"] < SMALLEST_AMOUNT:
        raise invalid(
            f"Amount must be at least {SMALLEST_AMOUNT} minor units of {currency}",
            param="amount",
            code="amount_too_small",
        )
    if "customer" in asked:
        existing_customer(work, asked["customer"])
    methods = eligible_methods(currency, asked.get("allowed_payment_method_types"))
    intent = create_intent(
        work,
        amount=asked["amount"],
        currency=currency,
        customer=asked.get("customer"),
        methods=methods,
        data=asked,
    )
    return _confirm(work, intent["id"], asked) if asked.get("confirm") else intent


def _confirm(work: Work, identifier: str, asked: Json) -> Json:
    """Pay with one of Stripe's test cards."""
    intent = _own(work, identifier, "confirm")
    if intent["status"] != "requires_payment_method":
        raise _unexpected(intent, "confirm")
    card = asked.get("payment_method")
    if card is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    if card not in _TEST_CARDS:
        raise not_implemented(f"the payment method {card}, only {', '.join(_TEST_CARDS)}")
    billing = billing_details(intent["receipt_email"], None)
    failure = _TEST_CARDS[card]
    if failure is None:
        paid = succeed(work, intent, method="card", billing=billing)
        if card in _DISPUTED_AS:
            charge = find(work, "charge", paid["latest_charge"])
            open_dispute(work, charge, reason="fraudulent", amount=None, status=_DISPUTED_AS[card])
        return paid
    declined = decline(work, intent, billing=billing, failure=failure)
    raise card_declined(declined["last_payment_error"], declined)


def _cancel(work: Work, identifier: str, asked: Json) -> Json:
    intent = _own(work, identifier, "cancel")
    if intent["status"] in {"succeeded", "canceled"}:
        raise _unexpected(intent, "cancel")
    return cancel(work, intent, asked.get("cancellation_reason", "requested_by_customer"))


def _own(work: Work, identifier: str, verb: str) -> Json:
    """The intent, unless a Checkout Session governs it."""
    intent = find(work, "payment_intent", identifier)
    if work.rows.private(identifier)["session"] is not None:
        raise invalid(
            f"You cannot {verb} a PaymentIntent that was created by Checkout. Expire the Checkout"
            " Session instead."
        )
    return intent


def _unexpected(intent: Json, verb: str) -> Exception:
    return invalid(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
    )


def _update(work: Work, identifier: str, asked: Json) -> Json:
    intent = find(work, "payment_intent", identifier)
    changes = {name: asked[name] or None for name in _COPIED if name in asked}
    metadata = merged(intent["metadata"], asked.get("metadata"))
    # Stripe has no payment_intent.updated
    return change(work, intent, None, **changes, metadata=metadata)


_PATH = "/v1/payment_intents"
_SETTABLE = frozenset({*_COPIED, "metadata", "expand"})
OPERATIONS = (
    Operation(
        "POST",
        _PATH,
        "PaymentIntentCreateParams",
        _create,
        _SETTABLE
        | {"allowed_payment_method_types", "amount", "automatic_payment_methods", "confirm"}
        | {"currency", "customer", "off_session", "payment_method", "return_url"},
    ),
    Operation("POST", f"{_PATH}/{{id}}", "PaymentIntentUpdateParams", _update, _SETTABLE),
    Operation(
        "POST",
        f"{_PATH}/{{id}}/confirm",
        "PaymentIntentConfirmParams",
        _confirm,
        frozenset({"payment_method", "off_session", "return_url", "expand"}),
    ),
    Operation(
        "POST",
        f"{_PATH}/{{id}}/cancel",
        "PaymentIntentCancelParams",
        _cancel,
        frozenset({"cancellation_reason", "expand"}),
    ),
    retrieving("payment_intent", _PATH, "PaymentIntentRetrieveParams", param="intent"),
    listing("payment_intent", _PATH, "PaymentIntentListParams", ["customer"]),
)
