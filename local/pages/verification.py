"""Where the link in the verification mail leads."""

from http import HTTPStatus

from local.http_server import Answer, Request, Response
from local.pages import forms, passwords
from local.pages.layout import page

PATH = "/verify_email"
_TITLE = "Confirm your address"


def ask(token: str) -> Response:
    """`GET /verify_email?token=`: a form for the password."""
    if not token:
        return forms.without_token(_TITLE)
    return page(_TITLE, _form(token), narrow=True)


def _form(token: str) -> str:
    field = (
        '<label>Password of the account <input type="password" name="password" required '
        'autocomplete="current-password"></label>'
    )
    hint = (
        "<p class=soft>You did not choose it, or have forgotten it? "
        f'<a href="{passwords.PATH}">Choose a new one</a>, which confirms the address as well.</p>'
    )
    asked = "<p>Is this e-mail address yours?</p>"
    return asked + forms.form(PATH, field, "Yes, it is mine", token=token) + hint


def verify(request: Request, answer: Answer) -> Response:
    """`POST /verify_email`: hand the token to the API and show what it says."""
    fields = forms.posted(request)
    token = fields.get("token", "")
    body = {"token": token, "password": fields.get("password", "")}
    response = forms.hand_over(request, answer, "/v1/auth/verifications", body)
    if response.status == HTTPStatus.OK:
        told = "<p>Your e-mail address is confirmed. You can sign in now.</p>"
        return page("Thank you", told, narrow=True)
    if response.status == HTTPStatus.FORBIDDEN:
        again = forms.problem(response) + _form(token)
        return page(_TITLE, again, status=response.status, narrow=True)
    hint = "<p class=soft>A link is good once, and for 24 hours.</p>"
    return page(
        "That didn't work", forms.problem(response) + hint, status=response.status, narrow=True
    )
