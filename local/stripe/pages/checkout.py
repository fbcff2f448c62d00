"""The hosted payment page: what a payer sees, and the buttons they press. Works without scripts."""

import hashlib
from html import escape

from local.stripe import paying
from local.stripe.errors import Json, StripeError
from local.stripe.fake import Fake
from local.stripe.forms import decode
from local.stripe.messages import Request, Response, html_response, redirect
from local.stripe.pages.layout import frame, moment, money
from local.stripe.work import Work, find

_SIDE = 25
_CORNER = 7


def show(fake: Fake, session_id: str) -> Response:
    """`GET /pay/{session}`."""
    try:
        with fake.work() as work:
            session = find(work, "checkout.session", session_id)
            return html_response(frame("Pay", _lines(work, session) + _state(work, session)))
    except StripeError as error:
        return _problem(error)


def press(fake: Fake, session_id: str, request: Request) -> Response:
    """`POST /pay/{session}` with `action`, and perhaps the payer's `email`: do it, and send the
    browser where Stripe would.
    """
    try:
        fields = decode(request.body.decode(errors="replace"))
        with fake.work() as work:
            session = paying.act(
                work,
                session_id,
                str(fields.get("action", "")),
                email=str(fields.get("email", "")) or None,
            )
    except StripeError as error:
        return _problem(error)
    page = f"{fake.url}/pay/{session_id}"
    if fields["action"] == "cancel":
        return redirect(session["cancel_url"] or page)
    if session["payment_status"] != "unpaid":
        return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id))
    return redirect(page)


def pix_image(fake: Fake, session_id: str) -> Response:
    """`GET /pay/{session}/pix.svg`: the picture that `image_url_svg` promises."""
    try:
        with fake.work() as work:
            session = find(work, "checkout.session", session_id)
            svg = _code_image(_pix(work, session)["data"])
    except (StripeError, KeyError) as error:
        return _problem(error if isinstance(error, StripeError) else paying.no_pix())
    return Response(200, svg.encode(), "image/svg+xml")


def _problem(error: StripeError) -> Response:
    content = f'<p class="notice" role="alert">{escape(str(error))}</p>'
    return html_response(frame("That can't be done", content), error.status)


def _lines(work: Work, session: Json) -> str:
    """What is bought, and the total."""
    currency = session["currency"]
    rows = "".join(
        f"<tr><td>{escape(str(item['description']))}</td><td class=amount>{item['quantity']}</td>"
        f"<td class=amount>{money(item['amount_total'], currency)}</td></tr>"
        for item in work.rows.private(session["id"])["line_items"]
    )
    return (
        '<table><thead><tr><th scope="col">Item</th><th scope="col" class=amount>Quantity</th>'
        f'<th scope="col" class=amount>Amount</th></tr></thead><tbody>{rows}</tbody><tfoot><tr>'
        '<th scope="row" colspan="2">Total</th>'
        f"<td class=amount>{money(session['amount_total'], currency)}</td></tr></tfoot></table>"
    )


def _state(work: Work, session: Json) -> str:
    """What can be done now, or why nothing can."""
    if session["status"] == "expired":
        return '<p class="notice">This checkout has expired. Nothing was charged.</p>'
    if session["status"] == "open":
        return _refusal(work, session) + _buttons(session)
    if session["payment_status"] == "unpaid":
        pix = _pix(work, session)
        if pix:
            return _pix_panel(session, pix)
        return '<p class="notice">The Pix expired before it was paid. Nothing was charged.</p>'
    back = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
    return f'<p>This payment is complete. <a href="{escape(back)}">Back to the shop</a></p>'


def _refusal(work: Work, session: Json) -> str:
    intent = work.rows.find("payment_intent", session["payment_intent"] or "") or {}
    error = intent.get("last_payment_error")
    if error is None:
        return ""
    return f'<p class="notice" role="alert">{escape(error["message"])} Try again.</p>'


def _buttons(session: Json) -> str:
    methods = session["payment_method_types"]
    buttons = []
    if "card" in methods:
        buttons.append(_button("pay", "Pay by card", main=True))
    if "pix" in methods:
        buttons.append(_button("pix", "Pay by Pix"))
    if "card" in methods:
        buttons.append(_button("decline", "Try a card that is declined"))
    buttons.append(_button("wait", "Wait: leave this page open"))
    if session["cancel_url"]:
        buttons.append(_button("cancel", "Cancel and go back"))
    email = ""
    if session["customer"] is None and session["customer_email"] is None:
        email = (
            f'<label>E-mail <input type="email" name="email" value="{paying.SOMEBODY}"'
            ' autocomplete="email"></label>'
        )
    until = f"<p>Open until {moment(session['expires_at'])}.</p>"
    return f"{_form(session, email + ''.join(buttons))}{until}"


def _pix_panel(session: Json, pix: Json) -> str:
    buttons = _button("pix_pay", "Pay the Pix now", main=True) + _button(
        "pix_expire", "Let it expire"
    )
    return (
        f'<div class="pix">{_code_image(pix["data"])}'
        f"<p>Or copy this code: <code>{escape(pix['data'])}</code></p>"
        f"<p>To be paid until {moment(pix['expires_at'])}.</p></div>{_form(session, buttons)}"
    )


def _form(session: Json, content: str) -> str:
    address = f"/pay/{escape(session['id'])}"
    return f'<form class="actions" method="post" action="{address}">{content}</form>'


def _button(action: str, text: str, *, main: bool = False) -> str:
    style = ' class="main"' if main else ""
    return f'<button name="action" value="{action}"{style}>{text}</button>'


def _pix(work: Work, session: Json) -> Json:
    """The Pix that waits to be paid, or nothing."""
    intent = work.rows.find("payment_intent", session["payment_intent"] or "") or {}
    pix: Json = (intent.get("next_action") or {}).get("pix_display_qr_code", {})
    return pix


def _code_image(data: str) -> str:
    """A picture that looks like a QR code, drawn from the data's hash; nothing can read it."""
    bits = int.from_bytes(hashlib.shake_256(data.encode()).digest(_SIDE * _SIDE // 8 + 1))
    squares = "".join(
        f"M{x} {y}h1v1h-1z"
        for y in range(_SIDE)
        for x in range(_SIDE)
        if _dark(x, y, bool(bits >> (y * _SIDE + x) & 1))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}" role="img"'
        f' aria-label="Pix code (a picture only)"><path fill="#000" d="{squares}"/></svg>'
    )


def _dark(x: int, y: int, by_hash: bool) -> bool:
    """Whether a square is dark: rings in three corners, elsewhere by the hash."""
    for left, top in ((0, 0), (_SIDE - _CORNER, 0), (0, _SIDE - _CORNER)):
        if left - 1 <= x <= left + _CORNER and top - 1 <= y <= top + _CORNER:
            ring = max(abs(x - left - 3), abs(y - top - 3))
            return ring in {0, 1, 3}
    return by_hash
