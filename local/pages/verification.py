"""Where the link in the verification mail leads. Looking changes nothing; a button does.

Programs that look at links in mails before people do would use the token up otherwise.
"""

import json
from collections.abc import Callable
from html import escape
from http import HTTPStatus
from urllib.parse import parse_qs

from local.http_server import Request, Response
from local.pages.layout import page

_PATH = "/v1/auth/verifications"


def ask(token: str) -> Response:
    """`GET /verify_email?token=`: a button."""
    if not token:
        told = "<p>The link in the mail has a token; this address has none.</p>"
        return page("Confirm your address", told, status=HTTPStatus.BAD_REQUEST, narrow=True)
    content = (
        "<p>Is this e-mail address yours?</p>"
        f'<form method="post" action="/verify_email"><input type="hidden" name="token" '
        f'value="{escape(token)}"><button>Yes, it is mine</button></form>'
    )
    return page("Confirm your address", content, narrow=True)


def verify(request: Request, answer: Callable[[Request], Response]) -> Response:
    """`POST /verify_email`: hand the token to the API and show what it says."""
    fields = parse_qs(request.body.decode(errors="replace"))
    body = json.dumps({"token": fields.get("token", [""])[0]}).encode()
    headers = (("content-type", "application/json"),)
    response = answer(Request("POST", _PATH, "", headers, body, request.source_address))
    if response.status == HTTPStatus.OK:
        told = "<p>Your e-mail address is confirmed. You can sign in now.</p>"
        return page("Thank you", told, narrow=True)
    detail = escape(json.loads(response.body)["detail"])
    told = f"<p>{detail}.</p><p class=soft>A link is good once, and for 24 hours.</p>"
    return page("That didn't work", told, status=response.status, narrow=True)
