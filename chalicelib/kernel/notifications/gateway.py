"""Mail as it goes out, and what the mail service tells of it afterwards.

A template becomes a MIME message with a text and an HTML part. Whatever fills it is text: in HTML
it is escaped, in a link quoted, in a header kept to one line.
"""

import json
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Literal, NamedTuple
from urllib.parse import quote

from chalicelib.core import aws
from chalicelib.core.config import config

TEMPLATES = Path(__file__).parent / "templates"
_FALLBACK = "en"
_RIGHT_TO_LEFT = {"he"}
_MOST_IN_HEADER = 200

# Folding would encode a link that is longer than a line (RFC 5322 allows 998 characters).
_POLICY = SMTP.clone(max_line_length=998)


class Letter(NamedTuple):
    """A template's parts, before anything is filled in, and the language it is written in."""

    locale: str
    subject: Template
    action: str | None
    link: Template | None
    text: Template


class Words(NamedTuple):
    """A template in a language, filled in: what a person is told in the app."""

    title: str
    body: str


class Feedback(NamedTuple):
    """Addresses that must not be written to any more, and why."""

    reason: Literal["bounce", "complaint"]
    addresses: list[str]


@cache
def letter(template: str, locale: str, folder: Path = TEMPLATES) -> Letter:
    """The template in a language, or in English where it has not been written yet."""
    path = folder / locale / f"{template}.txt"
    if not path.exists():
        locale, path = _FALLBACK, folder / _FALLBACK / f"{template}.txt"
    head, _, text = path.read_text(encoding="utf-8").partition("\n\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    link = fields.get("Link")
    return Letter(
        locale,
        Template(fields["Subject"]),
        fields.get("Action"),
        Template(link) if link else None,
        Template(text.strip()),
    )


def words(template: str, folder: Path, values: dict[str, str]) -> dict[str, Words]:
    """A template filled in, in each language it is written in."""
    told = {}
    for path in sorted(folder.glob(f"*/{template}.txt")):
        known = letter(template, path.parent.name, folder)
        told[known.locale] = Words(known.subject.substitute(values), known.text.substitute(values))
    return told


def send(
    known: Letter, recipient: str, values: dict[str, str], *, unsubscribe: str | None = None
) -> str:
    """Send a letter and return the provider's id for it.

    `unsubscribe` is a token that stops mails of this kind: a link in the footer leads to a page,
    and the headers let mail programs offer it as one click (RFC 8058).
    """
    public_url = config().public_url
    text = known.text.substitute(values, public_url=public_url)
    quoted = {name: quote(value, safe="") for name, value in values.items()}
    link = known.link.substitute(quoted, public_url=public_url) if known.link else None
    message = EmailMessage(policy=_POLICY)
    message["From"] = config().mail_sender
    message["To"] = recipient
    message["Subject"] = _on_one_line(known.subject.substitute(values))
    stop = None
    if unsubscribe:
        stop = f"{public_url}/unsubscribe?token={unsubscribe}"
        message["List-Unsubscribe"] = f"<{public_url}/v1/notifications/unsubscribes/{unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    footer = letter("footer", known.locale)
    told = [text, link, f"-- \n{footer.text.substitute()}\n{stop}" if stop else None]
    message.set_content("\n\n".join(filter(None, told)) + "\n")
    below = (footer.text.substitute(), stop) if stop else None
    message.add_alternative(_html(text, known, link, below), subtype="html")
    return aws.send_mail(config().mail_sender, recipient, message.as_bytes())


def feedback_of(told: str) -> Feedback | None:
    """What SES tells of a mail, as SNS puts it in a queue; None where nothing follows from it.

    A mailbox that is full today bounces, too, and is written to again.
    """
    outer = json.loads(told)
    inner = json.loads(outer["Message"]) if "Message" in outer else outer
    kind = inner.get("eventType") or inner.get("notificationType")
    if kind == "Bounce" and inner["bounce"]["bounceType"] == "Permanent":
        return Feedback("bounce", _addresses(inner["bounce"]["bouncedRecipients"]))
    if kind == "Complaint" and inner["complaint"].get("complaintFeedbackType") != "not-spam":
        return Feedback("complaint", _addresses(inner["complaint"]["complainedRecipients"]))
    return None


def _addresses(recipients: list[dict[str, str]]) -> list[str]:
    return [parseaddr(one["emailAddress"])[1] for one in recipients]


def _on_one_line(text: str) -> str:
    """A header's text: a line break, also one in an encoded word, would begin another header."""
    printable = "".join(one if one.isprintable() else " " for one in text)
    return " ".join(printable.replace("=?", "= ?").split())[:_MOST_IN_HEADER]


def _html(text: str, known: Letter, link: str | None, below: tuple[str, str] | None) -> str:
    direction = "rtl" if known.locale in _RIGHT_TO_LEFT else "ltr"
    paragraphs = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
    button = (
        f'<p><a href="{escape(link)}" style="background:#2f5d50;color:#fff;padding:10px 18px;'
        f'border-radius:6px;text-decoration:none">{escape(known.action or link)}</a></p>'
        if link
        else ""
    )
    footer = (
        f'<p style="font-size:13px;color:#666"><a href="{escape(below[1])}" style="color:#666">'
        f"{escape(below[0])}</a></p>"
        if below
        else ""
    )
    return (
        f'<!doctype html><html lang="{known.locale}" dir="{direction}"><body style="font:16px/1.5 '
        f'sans-serif;max-width:36em;margin:2em auto;padding:0 1em">{paragraphs}{button}{footer}'
        "</body></html>"
    )
