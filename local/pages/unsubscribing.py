"""Where the link at the foot of a mail leads, which stops mails of its kind."""

import json
from html import escape
from http import HTTPStatus
from urllib.parse import quote

from local.http_server import Answer, Request, Response
from local.pages import forms
from local.pages.layout import page

PATH = "/unsubscribe"
_TITLE = "Stop these mails"
# What a mail program sends that offers this as one click (RFC 8058).
_ONE_CLICK = (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded")


def ask(token: str) -> Response:
    """`GET /unsubscribe?token=`: a button."""
    if not token:
        return forms.without_token(_TITLE)
    told = "<p>You get no more mails of this kind; all others still reach you.</p>"
    return page(_TITLE, told + forms.form(PATH, "", "Stop them", token=token), narrow=True)


def stop(request: Request, answer: Answer) -> Response:
    """`POST /unsubscribe`: hand the token to the API and show what it says."""
    token = forms.posted(request).get("token", "")
    if not token:
        return forms.without_token(_TITLE)
    path = f"/v1/notifications/unsubscribes/{quote(token, safe='')}"
    response = forms.hand_over(request, answer, path, *_ONE_CLICK)
    if response.status != HTTPStatus.OK:
        hint = "<p class=soft>Is the link whole? The newest mail has one that is good.</p>"
        again = forms.problem(response) + hint
        return page("That didn't work", again, status=response.status, narrow=True)
    kind = escape(json.loads(response.body)["kind"])
    return page("Done", f"<p>No more mails of the kind <code>{kind}</code>.</p>", narrow=True)
