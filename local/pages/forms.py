"""What the pages behind mailed links share. Looking at one changes nothing; its button does.

Programs that look at links in mails before people do would use the token up otherwise.
"""

import json
from html import escape
from http import HTTPStatus
from urllib.parse import parse_qs

from local.http_server import Answer, Request, Response
from local.pages.layout import page

_JSON = "application/json"


def form(path: str, fields: str, button: str, *, token: str = "") -> str:
    """A form that is posted to `path`, with the token of the link; `fields` is HTML."""
    hidden = f'<input type="hidden" name="token" value="{escape(token)}">' if token else ""
    return (
        f'<form class=stacked method="post" action="{path}">{hidden}{fields}'
        f"<button>{escape(button)}</button></form>"
    )


def without_token(title: str) -> Response:
    """The page for a link that was cut short."""
    told = "<p>The link in the mail has a token; this address has none.</p>"
    return page(title, told, status=HTTPStatus.BAD_REQUEST, narrow=True)


def posted(request: Request) -> dict[str, str]:
    """The fields of a form."""
    fields = parse_qs(request.body.decode(errors="replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def hand_over(
    request: Request, answer: Answer, path: str, body: bytes | dict[str, str], kind: str = _JSON
) -> Response:
    """Ask the API for the sake of whoever sent a form: its rates count for them."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = (("content-type", kind),)
    return answer(Request("POST", path, "", headers, sent, request.source_address))


def problem(response: Response) -> str:
    """What the API says against it, as HTML."""
    told = json.loads(response.body)
    wrong = [(*each["field"].partition("."), each["detail"]) for each in told.get("errors", [])]
    said = ". ".join(f"{name}: {detail}" for _, _, name, detail in wrong) or told["detail"]
    if response.status == HTTPStatus.NOT_FOUND or any(place == "path" for place, *_ in wrong):
        said = "This link leads nowhere: it was cut short, or what it is about is gone"
    return f"<p class=notice role=alert>{escape(said)}.</p>"
