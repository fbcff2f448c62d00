"""The mails that were sent on this machine: for people, and for scripts that wait for a link."""

import re
import threading
import time
from html import escape
from http import HTTPStatus

from local.http_server import Response
from local.pages.layout import page, plain
from local.sent_mail import Mail, SentMail

_MOST_SHOWN = 50
_WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.1
_LINK = re.compile(r"https?://[^\s<>\"]+")
_TOKEN = re.compile(r"[?&]token=([A-Za-z0-9_.~-]+)")


def show(sent: SentMail, to: str) -> Response:
    """`GET /mailbox?to=`: newest first."""
    mails = sent.newest_first(to)
    shown = "".join(_article(mail) for mail in mails[:_MOST_SHOWN])
    if not mails:
        whom = f" to {escape(to)}" if to else ""
        shown = f"<p class=soft>No mail{whom} yet. Sign up, and one arrives within a second.</p>"
    elif len(mails) > _MOST_SHOWN:
        shown += f"<p class=soft>The newest {_MOST_SHOWN} of {len(mails)}.</p>"
    search = (
        '<form class=filter><input type="email" name="to" aria-label="Recipient" '
        f'placeholder="ana@example.com" value="{escape(to)}"><button>Show</button></form>'
    )
    told = "<p class=soft>What Kith has mailed from this machine, newest first.</p>"
    return page("Mailbox", told + search + shown)


def newest(sent: SentMail, to: str) -> Response:
    """`GET /mailbox/newest?to=`: the newest mail's text, or 404."""
    mails = sent.newest_first(to)
    if not mails:
        return plain(f"no mail to {to or 'anybody'} yet", status=HTTPStatus.NOT_FOUND)
    mail = mails[0]
    recipients = ", ".join(mail.recipients)
    return plain(f"To: {recipients}\nSubject: {mail.subject}\n\n{mail.text.rstrip()}")


def token(sent: SentMail, to: str, stopping: threading.Event) -> Response:
    """`GET /mailbox/token?to=`: the token of the newest mail's link, waited for 10 s; or 404."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        mails = sent.newest_first(to)
        found = _TOKEN.search(mails[0].text) if mails else None
        if found:
            return plain(found[1])
        if time.monotonic() > deadline or stopping.wait(_POLL_SECONDS):
            what = "the newest mail has no token" if mails else "no mail came"
            return plain(f"{what}, to {to or 'anybody'}", status=HTTPStatus.NOT_FOUND)


def _article(mail: Mail) -> str:
    recipients = escape(", ".join(mail.recipients))
    at = mail.sent_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    framed = ""
    if mail.html:
        # No scripts, no forms, nothing loaded; links open beside this page.
        document = escape(f'<base target="_blank">{mail.html}')
        framed = (
            "<details><summary>As HTML</summary><iframe "
            'sandbox="allow-popups allow-popups-to-escape-sandbox" title="The mail as HTML" '
            f'srcdoc="{document}"></iframe></details>'
        )
    return (
        f'<article class="card mail"><h2>{escape(mail.subject)}</h2>'
        f"<p class=soft>to {recipients} · {at}</p>"
        f"<div class=text>{_linked(mail.text.strip())}</div>{framed}</article>"
    )


def _linked(text: str) -> str:
    """Text as HTML, its addresses clickable."""
    parts, end = [], 0
    for found in _LINK.finditer(text):
        address = escape(found[0])
        parts += [escape(text[end : found.start()]), f'<a href="{address}">{address}</a>']
        end = found.end()
    return "".join([*parts, escape(text[end:])])
