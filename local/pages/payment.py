"""Where Stripe's page sends the buyer back to. Coming here proves nothing: the webhook does."""

from html import escape

from local.http_server import Response
from local.pages.layout import page


def paid(checkout_id: str) -> Response:
    """`GET /paid?checkout_id=`."""
    told = (
        "<p>Thank you. The payment is confirmed by Stripe's webhook, within a second as a rule; "
        "what you bought is yours from then on.</p>"
    )
    return page("Paid", told + _where_to_look(checkout_id), narrow=True)


def not_paid(checkout_id: str) -> Response:
    """`GET /not_paid?checkout_id=`."""
    told = "<p>Nothing was charged. The page to pay on stays open for half an hour.</p>"
    return page("Not paid", told + _where_to_look(checkout_id), narrow=True)


def _where_to_look(checkout_id: str) -> str:
    if not checkout_id:
        return ""
    path = f"GET /v1/billing/checkouts/{checkout_id}"
    return f"<p class=soft>How it stands:</p><pre>{escape(path)}</pre>"
