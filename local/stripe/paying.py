"""What the payer of a Checkout Session can do, and what time does to it.

Paying by Pix follows Stripe: showing the code completes the session, still unpaid; the payment, or
its expiry, is told later by `checkout.session.async_payment_succeeded` or `…_failed`.
"""

from collections.abc import Callable
from typing import Literal, get_args

from local.stripe.errors import Json, StripeError, invalid
from local.stripe.objects import checkout, payments
from local.stripe.objects.charges import billing_details
from local.stripe.objects.customers import create_customer
from local.stripe.work import Work, change, find

Action = Literal["pay", "decline", "cancel", "wait", "pix", "pix_pay", "pix_expire", "pix_pay_late"]
ACTIONS: tuple[str, ...] = get_args(Action)
SOMEBODY = "buyer@example.com"


def act(work: Work, identifier: str, action: str, *, email: str | None = None) -> Json:
    """Do what a payer (or their bank) does, and answer the session as it is then.

    `email` is what the payer types where the session has no address yet.

    Raises:
        StripeError: when there is no such session or action, or the session's state forbids it.
    """
    session = find(work, "checkout.session", identifier)
    if action not in ACTIONS:
        raise invalid(f"Invalid action: must be one of {', '.join(ACTIONS)}", param="action")
    if action in {"cancel", "wait"}:
        return session  # going away changes nothing at Stripe: the session stays open
    if action in _AFTER_PIX:
        return _AFTER_PIX[action](work, session)
    if session["status"] != "open":
        raise checkout.only_open(session, "paid")
    return _BY_PAYER[action](work, session, email)


def let_time_pass(work: Work) -> None:
    """Expire every session and Pix whose time is over."""
    due = work.rows.select("due <= ?", [work.now], order="due, sequence", limit=-1)
    for body in due:
        if body["object"] == "checkout.session":
            checkout.expire(work, body)
        else:
            session = work.rows.private(body["id"])["session"]
            _pix_expires(work, find(work, "checkout.session", session))


def _pay(work: Work, session: Json, email: str | None) -> Json:
    session = _introduced(work, session, email)
    if session["amount_total"] == 0:
        return _completed(work, session, "no_payment_required")
    session, intent = _with_intent(work, session, "card")
    payments.succeed(work, intent, method="card", billing=_billing(session))
    return _completed(work, session, "paid")


def _decline(work: Work, session: Json, email: str | None) -> Json:
    session, intent = _with_intent(work, session, "card")
    address = session["customer_email"] or email
    payments.decline(work, intent, billing=billing_details(address, None))
    return session


def _show_pix(work: Work, session: Json, email: str | None) -> Json:
    page = session["url"]
    session, intent = _with_intent(work, _introduced(work, session, email), "pix")
    options = session["payment_method_options"].get("pix", {})
    seconds = options.get("expires_after_seconds", checkout.PIX_DEFAULT_SECONDS)
    payments.await_pix(work, intent, expires_at=work.now + seconds, page=page)
    return _completed(work, session, "unpaid")


def _pix_paid(work: Work, session: Json) -> Json:
    intent = _pix_intent(work, session, "requires_action")
    return _pix_succeeds(work, session, intent)


def _pix_paid_late(work: Work, session: Json) -> Json:
    """The bank takes the payment although the code had expired, and Stripe hears of it after all."""
    intent = _pix_intent(work, session, "requires_payment_method")
    return _pix_succeeds(work, session, intent)


def _pix_succeeds(work: Work, session: Json, intent: Json) -> Json:
    payments.succeed(work, intent, method="pix", billing=_billing(session))
    return change(work, session, "checkout.session.async_payment_succeeded", payment_status="paid")


def _pix_expires(work: Work, session: Json) -> Json:
    payments.expire_pix(work, _pix_intent(work, session, "requires_action"))
    return change(work, session, "checkout.session.async_payment_failed")


_BY_PAYER: dict[str, Callable[[Work, Json, str | None], Json]] = {
    "pay": _pay,
    "decline": _decline,
    "pix": _show_pix,
}
_AFTER_PIX: dict[str, Callable[[Work, Json], Json]] = {
    "pix_pay": _pix_paid,
    "pix_expire": _pix_expires,
    "pix_pay_late": _pix_paid_late,
}


def _pix_intent(work: Work, session: Json, status: str) -> Json:
    """The intent of a session whose Pix was shown, in this status."""
    if session["status"] != "complete" or session["payment_status"] != "unpaid":
        raise no_pix()
    intent = find(work, "payment_intent", session["payment_intent"])
    if intent["status"] != status:
        raise invalid(f"The Pix can't be paid so: its payment has a status of {intent['status']}.")
    return intent


def _with_intent(work: Work, session: Json, method: str) -> tuple[Json, Json]:
    """The session and its payment intent, which Stripe makes at the first try to pay."""
    if method not in session["payment_method_types"]:
        raise invalid(f"This Checkout Session can't be paid by {method}.")
    if session["payment_intent"] is not None:
        return session, find(work, "payment_intent", session["payment_intent"])
    intent = payments.create_intent(
        work,
        amount=session["amount_total"],
        currency=session["currency"],
        customer=session["customer"],
        methods=session["payment_method_types"],
        data=work.rows.private(session["id"])["payment_intent_data"],
        session=session["id"],
    )
    return change(work, session, None, payment_intent=intent["id"]), intent


def _introduced(work: Work, session: Json, email: str | None) -> Json:
    """The session with the payer's details, and as a customer where that was asked for."""
    known = work.rows.find("customer", session["customer"] or "") or {}
    address = session["customer_email"] or known.get("email") or email or SOMEBODY
    details: Json = {
        "address": None,
        "email": address,
        "name": known.get("name"),
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
    customer = session["customer"]
    if customer is None and session["customer_creation"] == "always":
        customer = create_customer(work, "", {"email": address})["id"]
    if customer is not None and session["payment_intent"] is not None:
        intent = find(work, "payment_intent", session["payment_intent"])
        change(work, intent, None, customer=customer)
    return change(work, session, None, customer=customer, customer_details=details)


def _completed(work: Work, session: Json, payment_status: str) -> Json:
    return change(
        work,
        session,
        "checkout.session.completed",
        status="complete",
        payment_status=payment_status,
        url=None,
    )


def _billing(session: Json) -> Json:
    details = session["customer_details"]
    return billing_details(details["email"], details["name"])


def no_pix() -> StripeError:
    """The error where a Pix was expected."""
    return invalid("No Pix of this Checkout Session waits to be paid.")
