"""Where one asks for a new password, and where the mailed link leads, which sets it."""

from html import escape
from http import HTTPStatus

from local.http_server import Answer, Request, Response
from local.pages import forms
from local.pages.layout import page

PATH = "/reset_password"
_ASKS = "Forgot your password?"
_SETS = "Choose a new password"


def ask(token: str) -> Response:
    """`GET /reset_password?token=`: a form for the new password; without a token, to ask for one."""
    return page(_SETS, _new(token), narrow=True) if token else page(_ASKS, _mail(), narrow=True)


def reset(request: Request, answer: Answer) -> Response:
    """`POST /reset_password`: set the password anew, or ask for the mail that lets one."""
    fields = forms.posted(request)
    if "token" in fields:
        return _set(request, answer, fields["token"], fields.get("password", ""))
    email = fields.get("email", "").strip()
    response = forms.hand_over(request, answer, "/v1/auth/password_resets", {"email": email})
    if response.status != HTTPStatus.ACCEPTED:
        again = forms.problem(response) + _mail(email)
        return page(_ASKS, again, status=response.status, narrow=True)
    told = (
        f"<p>If there is an account of {escape(email)}, a link is on its way to it, good for an "
        'hour. On this machine it arrives in the <a href="/mailbox">mailbox</a>.</p>'
    )
    return page("Look into your mail", told, narrow=True)


def _set(request: Request, answer: Answer, token: str, password: str) -> Response:
    body = {"token": token, "password": password}
    response = forms.hand_over(request, answer, "/v1/auth/passwords", body)
    if response.status != HTTPStatus.OK:
        again = forms.problem(response) + _new(token)
        return page(_SETS, again, status=response.status, narrow=True)
    told = "<p>Your password is set. You were signed out everywhere; sign in with it.</p>"
    return page("Thank you", told, narrow=True)


def _new(token: str) -> str:
    field = (
        '<label>New password <input type="password" name="password" required '
        'autocomplete="new-password"></label>'
    )
    hint = (
        "<p class=soft>A link is good once, and for an hour. "
        f'<a href="{PATH}">Ask for another</a></p>'
    )
    return forms.form(PATH, field, "Set the password", token=token) + hint


def _mail(email: str = "") -> str:
    field = (
        '<label>E-mail <input type="email" name="email" required autocomplete="email" '
        f'value="{escape(email)}"></label>'
    )
    told = "<p>A link that lets you choose a new one is mailed to you.</p>"
    return told + forms.form(PATH, field, "Mail me the link")
