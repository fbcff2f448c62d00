"""Where the link in the verification mail leads."""

from http import HTTPStatus

from local.http_server import Answer, Request, Response
from local.pages import forms
from local.pages.layout import page

PATH = "/verify_email"
_TITLE = "Confirm your address"


def ask(token: str) -> Response:
    """`GET /verify_email?token=`: a button."""
    if not token:
        return forms.without_token(_TITLE)
    button = forms.form(PATH, "", "Yes, it is mine", token=token)
    return page(_TITLE, f"<p>Is this e-mail address yours?</p>{button}", narrow=True)


def verify(request: Request, answer: Answer) -> Response:
    """`POST /verify_email`: hand the token to the API and show what it says."""
    token = forms.posted(request).get("token", "")
    response = forms.hand_over(request, answer, "/v1/auth/verifications", {"token": token})
    if response.status == HTTPStatus.OK:
        told = "<p>Your e-mail address is confirmed. You can sign in now.</p>"
        return page("Thank you", told, narrow=True)
    hint = "<p class=soft>A link is good once, and for 24 hours.</p>"
    return page(
        "That didn't work", forms.problem(response) + hint, status=response.status, narrow=True
    )
