"""The fake's front page: sessions, payments, and events with their deliveries."""

from html import escape

from local.stripe.deliveries import Delivery
from local.stripe.errors import Json, StripeError
from local.stripe.fake import Fake
from local.stripe.messages import Response, html_response, redirect
from local.stripe.pages.layout import frame, moment, money

_SHOWN = 50


def show(fake: Fake) -> Response:
    """`GET /`."""
    with fake.work() as work:
        sessions = work.rows.select("kind = 'checkout.session'", limit=_SHOWN)
        intents = work.rows.select("kind = 'payment_intent'", limit=_SHOWN)
        charges = {c["id"]: c for c in work.rows.select("kind = 'charge'", limit=10 * _SHOWN)}
    deliveries = fake.deliveries.newest(_SHOWN)
    url, _ = fake.deliveries.address()
    clock = f"<p>Clock: {moment(fake.clock.now())}. Webhooks go to <code>{escape(url or 'nobody')}</code>.</p>"
    content = (
        clock
        + _table("Checkout Sessions", _SESSION_HEADS, [_session(s) for s in sessions])
        + _table("Payments", _PAYMENT_HEADS, [_payment(i, charges) for i in intents])
        + _table("Events", _EVENT_HEADS, [_event(d) for d in deliveries])
    )
    return html_response(frame("Stripe, faked locally", content, wide=True))


def send_again(fake: Fake, event: str) -> Response:
    """`POST /events/{event}/send`: deliver an event now, then show the front page."""
    try:
        fake.deliveries.deliver(event)
    except StripeError as error:
        content = f'<p class="notice" role="alert">{escape(str(error))}</p>'
        return html_response(frame("That can't be done", content), error.status)
    return redirect(f"{fake.url}/")


_SESSION_HEADS = ("Session", "Reference", "Amount", "Status", "Paid", "Expires")
_PAYMENT_HEADS = ("Payment intent", "Amount", "Status", "Last charge", "Refunded", "Disputed")
_EVENT_HEADS = ("Event", "Type", "Delivery", "Attempts", "")


def _table(title: str, heads: tuple[str, ...], rows: list[str]) -> str:
    """A section with a table; the cells are HTML."""
    if not rows:
        return f"<h2>{title}</h2><p>None yet.</p>"
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<h2>{title}</h2><div class="scroll">{table}</div>'


def _cells(*cells: str) -> str:
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _short(identifier: str | None) -> str:
    return f'<code title="{escape(identifier or "")}">{escape((identifier or "-")[:22])}</code>'


def _session(session: Json) -> str:
    name = f'<a href="/pay/{escape(session["id"])}">{_short(session["id"])}</a>'
    return _cells(
        name,
        escape(session["client_reference_id"] or "-"),
        money(session["amount_total"], session["currency"]),
        session["status"],
        session["payment_status"],
        moment(session["expires_at"]),
    )


def _payment(intent: Json, charges: dict[str, Json]) -> str:
    charge = charges.get(intent["latest_charge"] or "", {})
    currency = intent["currency"]
    return _cells(
        _short(intent["id"]),
        money(intent["amount"], currency),
        intent["status"],
        f"{_short(intent['latest_charge'])} {charge.get('status', '')}",
        money(charge.get("amount_refunded", 0), currency),
        "yes" if charge.get("disputed") else "no",
    )


def _event(delivery: Delivery) -> str:
    tried = "<br>".join(
        f"{moment(a.at)}: {escape(a.error or '') if a.status is None else a.status}"
        f" ({a.milliseconds:.0f} ms)"
        for a in delivery.attempts[-3:]
    )
    button = (
        f'<form method="post" action="/events/{escape(delivery.event)}/send">'
        f'<button aria-label="Send {escape(delivery.event)} again">Send again</button></form>'
    )
    count = f"{len(delivery.attempts)} in all<br>" if delivery.attempts else ""
    state = escape(delivery.state)
    return _cells(_short(delivery.event), escape(delivery.type), state, count + tried, button)
