"""Where the link in a mail about a moderator's decision leads: one may say why it is wrong."""

from html import escape
from http import HTTPStatus
from urllib.parse import quote

from local.http_server import Answer, Request, Response
from local.pages import forms
from local.pages.layout import page

PATH = "/appeal"
_TITLE = "Appeal a decision"
_LONGEST = 2000


def ask(token: str) -> Response:
    """`GET /appeal?token=`: a form for what one has to say."""
    return page(_TITLE, _form(token), narrow=True) if token else forms.without_token(_TITLE)


def appeal(request: Request, answer: Answer) -> Response:
    """`POST /appeal`: hand what was said to the API and show what it says."""
    fields = forms.posted(request)
    token, statement = fields.get("token", ""), fields.get("statement", "").replace("\r\n", "\n")
    if not token:
        return forms.without_token(_TITLE)
    path = f"/v1/moderation/appeals/{quote(token, safe='')}"
    response = forms.hand_over(request, answer, path, {"statement": statement})
    if response.status != HTTPStatus.CREATED:
        again = forms.problem(response) + _form(token, statement)
        return page(_TITLE, again, status=response.status, narrow=True)
    told = "<p>Your appeal is with us. Somebody else will look at it, and you will be told.</p>"
    return page("Thank you", told, narrow=True)


def _form(token: str, statement: str = "") -> str:
    told = "<p>A decision can be appealed once; somebody who did not make it looks at it.</p>"
    # A line break right after the tag is not part of what is written in it.
    field = (
        "<label>Why it is wrong "
        f'<textarea name="statement" required maxlength="{_LONGEST}">\n{escape(statement)}'
        "</textarea></label>"
    )
    return told + forms.form(PATH, field, "Appeal", token=token)
