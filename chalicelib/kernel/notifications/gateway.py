"""Mail as it goes out: a template becomes a MIME message with a text and an HTML part."""

from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

from chalicelib.core import aws
from chalicelib.core.config import config

_TEMPLATES = Path(__file__).parent / "templates"
_FALLBACK = "en"


class Letter(NamedTuple):
    """A template's parts, before anything is filled in."""

    subject: Template
    action: str | None
    link: Template | None
    text: Template


@cache
def letter(template: str, locale: str) -> Letter:
    """The template in a language, or in English where it has not been written yet."""
    path = _TEMPLATES / locale / f"{template}.txt"
    if not path.exists():
        path = _TEMPLATES / _FALLBACK / f"{template}.txt"
    head, _, text = path.read_text(encoding="utf-8").partition("\n\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    link = fields.get("Link")
    return Letter(
        Template(fields["Subject"]),
        fields.get("Action"),
        Template(link) if link else None,
        Template(text.strip()),
    )


def send(template: str, locale: str, recipient: str, values: dict[str, str]) -> str:
    """Send a mail and return the provider's id for it."""
    known = letter(template, locale)
    values = {"public_url": config().public_url, **values}
    text = known.text.substitute(values)
    link = known.link.substitute(values) if known.link else None
    message = EmailMessage(policy=SMTP)
    message["From"] = config().mail_sender
    message["To"] = recipient
    message["Subject"] = known.subject.substitute(values)
    message.set_content(f"{text}\n\n{link}\n" if link else f"{text}\n")
    message.add_alternative(_html(text, known.action, link, locale), subtype="html")
    return aws.send_mail(config().mail_sender, recipient, message.as_bytes())


def _html(text: str, action: str | None, link: str | None, locale: str) -> str:
    direction = "rtl" if locale == "he" else "ltr"
    paragraphs = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
    button = (
        f'<p><a href="{escape(link)}" style="background:#2f5d50;color:#fff;padding:10px 18px;'
        f'border-radius:6px;text-decoration:none">{escape(action or link)}</a></p>'
        if link
        else ""
    )
    return (
        f'<!doctype html><html lang="{locale}" dir="{direction}"><body style="font:16px/1.5 '
        f'sans-serif;max-width:36em;margin:2em auto;padding:0 1em">{paragraphs}{button}</body></html>'
    )
