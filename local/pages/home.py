"""The home page: what runs, where to look, whom to sign in as, what time it is."""

import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from html import escape
from typing import NamedTuple
from urllib.parse import urlsplit

from chalicelib.core import clock
from chalicelib.core.config import config
from local import environment
from local.demo.people import PASSWORD, PEOPLE
from local.http_server import Response
from local.pages.layout import page

_CONNECT_SECONDS = 0.5
_DEFAULT_PORTS = {"postgresql": 5432, "http": 80, "https": 443}


class _Part(NamedTuple):
    """Something that runs: its name, address without secrets, where it is looked at, whether it answers."""

    name: str
    address: str
    link: str | None
    answers: bool


def show(offset_seconds: int, lines: list[str]) -> Response:
    """`GET /`; `offset_seconds` is how far the clock is ahead, `lines` the log's newest."""
    stripe = None if environment.stripe_is_real() else config().stripe_url
    leaves = (
        "Only what is paid goes to Stripe." if stripe is None else "Nothing leaves this machine."
    )
    content = (
        "<h1>Kith runs on this machine</h1><p class=soft>A serverless backend, with the cloud it "
        f"needs in one process tree. {leaves}</p>"
        f"{_links(stripe)}<h2>What runs</h2>{_parts(stripe)}<h2>Demo logins</h2>{_logins()}"
        f"<h2>The clock</h2>{_clock(offset_seconds)}<h2>The log</h2>{_log(lines)}"
    )
    return page("Home", content, heading=False)


def _links(stripe: str | None) -> str:
    links = [
        ("/docs", "API", "Every operation, to read and to try"),
        ("/mailbox", "Mailbox", "The mails that were sent"),
        (stripe or "https://dashboard.stripe.com/test", "Stripe", "Checkouts, events, webhooks"),
        ("/openapi.json", "OpenAPI", "The API for programs"),
    ]
    items = "".join(
        f'<a class=card href="{escape(to)}"><b>{name}</b><span>{told}</span></a>'
        for to, name, told in links
    )
    return f"<nav class=links>{items}</nav>"


def _parts(stripe: str | None) -> str:
    rows = "".join(
        f"<tr><th scope=row>{part.name}</th><td>{_address(part)}</td><td class=state>"
        f"{'<span class=good>answers</span>' if part.answers else '<span class=bad>does not answer</span>'}"
        "</td></tr>"
        for part in _running(stripe)
    )
    return f"<div class=card><table>{rows}</table></div>"


def _running(stripe: str | None) -> Iterator[_Part]:
    yield _Part(f"App, process {os.getpid()}", config().public_url, config().public_url, True)
    database, cloud = config().database_url, os.environ["AWS_ENDPOINT_URL"]
    parts = urlsplit(database)
    shown = f"{parts.hostname}:{parts.port or 5432}{parts.path}"
    yield _Part("PostgreSQL", shown, None, _answers(database))
    yield _Part("AWS: SQS, SES, S3 and more", cloud, None, _answers(cloud))
    if stripe is not None:
        yield _Part("Stripe fake", stripe, stripe, _answers(stripe))
    else:
        yield _Part("Stripe, your test account", "https://api.stripe.com", None, True)


def _address(part: _Part) -> str:
    shown = f"<code>{escape(part.address)}</code>"
    return f'<a href="{escape(part.link)}">{shown}</a>' if part.link else shown


def _answers(url: str) -> bool:
    """Whether somebody listens at the address."""
    parts = urlsplit(url)
    place = (parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 80))
    try:
        with socket.create_connection(place, _CONNECT_SECONDS):
            return True
    except OSError:
        return False


def _logins() -> str:
    rows = "".join(
        f"<tr><th scope=row>{escape(person.name)}</th><td><code>{escape(person.email)}</code></td>"
        f"<td>{escape(person.about)}</td></tr>"
        for person in PEOPLE
    )
    command = (
        f"curl -s {config().public_url}/v1/auth/sessions -H 'Content-Type: application/json' \\\n"
        f'  -d \'{{"email": "{PEOPLE[1].email}", "password": "{PASSWORD}"}}\''
    )
    return (
        f"<p>The password of all of them is <code>{escape(PASSWORD)}</code>.</p>"
        f"<div class=card><table>{rows}</table></div><pre>{escape(command)}</pre>"
    )


def _clock(offset_seconds: int) -> str:
    now = clock.now().strftime("%A, %Y-%m-%d %H:%M:%S UTC")
    ahead = timedelta(seconds=offset_seconds)
    told = f"{ahead} ahead of real time" if offset_seconds else "real time"
    return (
        f"<p>{now}, <span class=soft>{told}.</span></p><p class=soft>This moves it, and runs every "
        'job that falls due on the way:</p><pre>make clock ARGS="+25h"</pre>'
    )


def _log(lines: list[str]) -> str:
    shown = "\n".join(reversed(lines)) or "Nothing yet."
    return f"<pre>{escape(shown)}</pre>"
