"""Checkout Sessions as the API makes, shows and expires them. `paying` has what a payer does."""

from urllib.parse import urlsplit

from local.stripe.errors import Json, StripeError, invalid, not_implemented
from local.stripe.identifiers import new_id
from local.stripe.objects import line_items, payments
from local.stripe.objects.customers import check_email, existing_customer
from local.stripe.objects.metadata import merged
from local.stripe.operations import Operation, items_list, listing, retrieving
from local.stripe.parameters import missing
from local.stripe.work import Work, change, create, find

SHORTEST_SECONDS = 30 * 60
LONGEST_SECONDS = 24 * 60 * 60
PIX_DEFAULT_SECONDS = 4 * 60 * 60
_PIX_SECONDS = range(60, 1_209_601)
_LONGEST_REFERENCE = 200
_PATH = "/v1/checkout/sessions"


def _create(work: Work, _identifier: str, asked: Json) -> Json:
    _check_mode(asked)
    _check_urls(asked)
    _check_customer(work, asked)
    intent_data = _payment_intent_data(asked)
    method_options = _payment_method_options(asked)
    items = line_items.create_line_items(work, asked)
    currency = items[0]["currency"]
    total = sum(item["amount_total"] for item in items)
    if 0 < total < payments.SMALLEST_AMOUNT:
        raise invalid(
            "The Checkout Session's total amount due must add up to at least"
            f" {payments.SMALLEST_AMOUNT} minor units of {currency}",
            code="amount_too_small",
        )
    methods = payments.eligible_methods(currency, asked.get("allowed_payment_method_types"))
    if not methods:
        raise invalid(
            "No valid payment method types for this Checkout Session. Please ensure that you have"
            " allowed payment method types compatible with your chosen currency.",
            param="allowed_payment_method_types",
        )
    identifier = new_id("cs_test_a1", 56)
    body = {
        "id": identifier,
        "object": "checkout.session",
        "adaptive_pricing": asked.get("adaptive_pricing", {"enabled": False}),
        "after_expiration": None,
        "allow_promotion_codes": None,
        "allowed_payment_method_types": asked.get("allowed_payment_method_types"),
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": asked.get("cancel_url"),
        "client_reference_id": asked.get("client_reference_id"),
        "client_secret": None,
        "created": work.now,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "submit": None},
        "customer": asked.get("customer"),
        "customer_creation": _customer_creation(asked),
        "customer_details": None,
        "customer_email": asked.get("customer_email"),
        "discounts": [],
        "expires_at": _expires_at(work, asked),
        "invoice": None,
        "livemode": False,
        "locale": asked.get("locale"),
        "metadata": merged({}, asked.get("metadata")),
        "mode": asked["mode"],
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_options": method_options,
        "payment_method_types": methods,
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "setup_intent": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": asked.get("submit_type"),
        "subscription": None,
        "success_url": asked["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{work.public_url}/pay/{identifier}",
    }
    # Stripe tells nobody of a new session: there is no such event
    return create(
        work, body, None, private={"line_items": items, "payment_intent_data": intent_data}
    )


def _check_mode(asked: Json) -> None:
    if "mode" not in asked:
        raise missing("mode")
    if asked["mode"] != "payment":
        raise not_implemented(f"`mode={asked['mode']}` yet, only `payment`", param="mode")
    if asked.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_implemented(f"`ui_mode={asked['ui_mode']}`", param="ui_mode")
    if len(asked.get("client_reference_id", "")) > _LONGEST_REFERENCE:
        raise invalid(
            f"client_reference_id may be up to {_LONGEST_REFERENCE} characters long.",
            param="client_reference_id",
        )


def _check_urls(asked: Json) -> None:
    """A page to come back to must be there, and a web address: the payer's browser goes there."""
    if "success_url" not in asked:
        raise missing("success_url")
    for name in ("success_url", "cancel_url"):
        url = asked.get(name)
        if url is None:
            continue
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isprintable():
            raise invalid("Not a valid URL", param=name, code="url_invalid")


def _check_customer(work: Work, asked: Json) -> None:
    if "customer" in asked and "customer_email" in asked:
        raise invalid("You may only specify one of these parameters: customer, customer_email.")
    if "customer" in asked and "customer_creation" in asked:
        raise invalid("You may only specify one of these parameters: customer, customer_creation.")
    check_email(asked.get("customer_email"), "customer_email")
    if "customer" in asked:
        existing_customer(work, asked["customer"])


def _customer_creation(asked: Json) -> str | None:
    return None if "customer" in asked else asked.get("customer_creation", "if_required")


def _expires_at(work: Work, asked: Json) -> int:
    """The end of the session, between 30 minutes and 24 hours from now; by default the latter."""
    at: int = asked.get("expires_at", work.now + LONGEST_SECONDS)
    if at < work.now + SHORTEST_SECONDS:
        bound = "at least 30 minutes"
    elif at > work.now + LONGEST_SECONDS:
        bound = "less than 24 hours"
    else:
        return at
    raise invalid(
        f"The `expires_at` timestamp must be {bound} from Checkout Session creation.",
        param="expires_at",
    )


def _payment_intent_data(asked: Json) -> Json:
    """What the session's payment intent is to carry."""
    data: Json = asked.get("payment_intent_data", {})
    for name in data:
        if name not in payments.COPIED_FROM_SESSION:
            param = f"payment_intent_data[{name}]"
            raise not_implemented(f"`{param}`", param=param)
    merged({}, data.get("metadata"))
    return data


def _payment_method_options(asked: Json) -> Json:
    options: Json = asked.get("payment_method_options", {})
    seconds = options.get("pix", {}).get("expires_after_seconds", PIX_DEFAULT_SECONDS)
    if seconds not in _PIX_SECONDS:
        raise invalid(
            f"This value must be between {_PIX_SECONDS[0]} and {_PIX_SECONDS[-1]}.",
            param="payment_method_options[pix][expires_after_seconds]",
            code="parameter_invalid_integer",
        )
    for method, fields in options.items():
        for name in fields:
            if (method, name) != ("pix", "expires_after_seconds"):
                param = f"payment_method_options[{method}][{name}]"
                raise not_implemented(f"`{param}`", param=param)
    return options


def expire(work: Work, session: Json) -> Json:
    """End an open session; a payment intent left by a declined card is cancelled with it."""
    if session["payment_intent"] is not None:
        intent = find(work, "payment_intent", session["payment_intent"])
        payments.cancel(work, intent, "automatic")
    return change(work, session, "checkout.session.expired", status="expired", url=None)


def only_open(session: Json, deed: str) -> StripeError:
    """The error for what can only be done to an open session."""
    return invalid(
        f'Only Checkout Sessions with a status in ["open"] can be {deed}. This Checkout Session has'
        f" a status of `{session['status']}`."
    )


def _expire(work: Work, identifier: str, _asked: Json) -> Json:
    session = find(work, "checkout.session", identifier)
    if session["status"] != "open":
        raise only_open(session, "expired")
    return expire(work, session)


def _update(work: Work, identifier: str, asked: Json) -> Json:
    session = find(work, "checkout.session", identifier)
    # Stripe has no checkout.session.updated
    return change(work, session, None, metadata=merged(session["metadata"], asked.get("metadata")))


def _line_items(work: Work, identifier: str, _asked: Json) -> Json:
    find(work, "checkout.session", identifier)
    items = work.rows.private(identifier)["line_items"]
    return items_list(f"{_PATH}/{identifier}/line_items", items)


_IMPLEMENTED = frozenset(
    {
        "adaptive_pricing",
        "allowed_payment_method_types",
        "cancel_url",
        "client_reference_id",
        "customer",
        "customer_creation",
        "customer_email",
        "expand",
        "expires_at",
        "line_items",
        "locale",
        "metadata",
        "mode",
        "payment_intent_data",
        "payment_method_options",
        "submit_type",
        "success_url",
        "ui_mode",
    }
)
OPERATIONS = (
    Operation("POST", _PATH, "checkout.SessionCreateParams", _create, _IMPLEMENTED),
    Operation(
        "POST",
        f"{_PATH}/{{id}}",
        "checkout.SessionUpdateParams",
        _update,
        frozenset({"metadata", "expand"}),
    ),
    Operation(
        "POST",
        f"{_PATH}/{{id}}/expire",
        "checkout.SessionExpireParams",
        _expire,
        frozenset({"expand"}),
    ),
    Operation(
        "GET",
        f"{_PATH}/{{id}}/line_items",
        "checkout.SessionListLineItemsParams",
        _line_items,
        frozenset({"limit", "expand"}),
    ),
    retrieving("checkout.session", _PATH, "checkout.SessionRetrieveParams", param="session"),
    listing(
        "checkout.session",
        _PATH,
        "checkout.SessionListParams",
        ["customer", "payment_intent", "status", "subscription"],
    ),
)
