"""What the pages share: a frame, their style, and answers of each kind."""

import json
from html import escape
from typing import Any

from local.http_server import Response

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2b27; --soft: #5d6b66; --paper: #f6f7f4;
  --card: #fff; --line: #dfe4df; --accent: #2f5d50; --good: #1f7a4d; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ece9; --soft: #9aa8a2; --paper: #121816;
  --card: #1a2320; --line: #2c3833; --accent: #8fd0ba; --good: #6fd6a0; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
header { border-bottom: 1px solid var(--line); background: var(--card); }
header > div, main { max-width: 60rem; margin: 0 auto; padding: .8rem 1rem; }
header > div { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; align-items: baseline; }
header strong { font-size: 1.1rem; letter-spacing: .02em; margin-right: auto; }
main { padding-bottom: 4rem; } main.narrow { max-width: 36rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1.6rem 0 .4rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
p { margin: .4rem 0 .8rem; } .soft { color: var(--soft); }
a { color: var(--accent); } a:focus-visible, button:focus-visible, input:focus-visible,
textarea:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .7rem;
  padding: .2rem 1rem; overflow-x: auto; } .mail + .mail { margin-top: .8rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .5rem .8rem .5rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
tr:last-child > * { border-bottom: 0; } thead th { color: var(--soft); font-weight: 500; }
tbody th { font-weight: 600; white-space: nowrap; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .8rem 1rem; margin: .4rem 0; background: var(--card);
  border: 1px solid var(--line); border-radius: .7rem; }
.narrow pre { white-space: pre-wrap; overflow-wrap: anywhere; } .card + pre { margin-top: .8rem; }
.state { font-weight: 600; white-space: nowrap; } .good { color: var(--good); }
.bad { color: var(--bad); }
.links { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); }
.links a { display: block; text-decoration: none; color: inherit; padding: .8rem 1rem; margin: 0; }
.links b { color: var(--accent); } .links span { display: block; color: var(--soft); }
button { font: inherit; font-weight: 600; padding: .6rem 1.2rem; border: 0; border-radius: .5rem;
  background: var(--accent); color: var(--card); cursor: pointer; }
form.filter { display: flex; flex-wrap: wrap; gap: .5rem; margin: .8rem 0 1.2rem; }
form.stacked { display: grid; gap: .9rem; margin: 1rem 0; justify-items: start; }
.stacked label { display: grid; gap: .25rem; width: 100%; } textarea { min-height: 9rem; }
input, textarea { font: inherit; padding: .5rem .7rem; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--card); color: inherit; min-width: 0; flex: 1 1 14rem; }
.notice { border-left: 4px solid var(--bad); background: var(--card); padding: .6rem 1rem; }
.mail { padding: .8rem 1rem; } .mail h2 { margin: 0; } .mail .text { white-space: pre-wrap;
  overflow-wrap: anywhere; margin: .8rem 0; }
summary { cursor: pointer; color: var(--soft); }
iframe { width: 100%; height: 22rem; border: 1px solid var(--line); border-radius: .5rem;
  background: #fff; color-scheme: light; margin: .6rem 0; }
@media (max-width: 40rem) { thead { display: none; } tr { display: block; padding: .4rem 0;
  border-bottom: 1px solid var(--line); } tr:last-child { border-bottom: 0; }
  th, td { display: block; border: 0; padding: .1rem 0; } tbody th { white-space: normal; } }
"""
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%232f5d50'/%3E%3Ccircle cx='12' cy='16' r='6' "
    "fill='none' stroke='%23fff' stroke-width='2.5'/%3E%3Ccircle cx='20' cy='16' r='6' "
    "fill='none' stroke='%23fff' stroke-width='2.5'/%3E%3C/svg%3E"
)
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def page(
    title: str, content: str, *, status: int = 200, narrow: bool = False, heading: bool = True
) -> Response:
    """A whole page; `title` is text, `content` is HTML."""
    name = escape(title)
    shown = f"<h1>{name}</h1>" if heading else ""
    return html(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{name} · Kith</title><link rel="icon" href="{_ICON}">'
        f"<style>{_STYLE}</style></head><body><header><div><strong>Kith</strong>"
        '<a href="/">Home</a><a href="/docs">API</a><a href="/mailbox">Mailbox</a></div></header>'
        f"<main{' class=narrow' if narrow else ''}>{shown}{content}</main></body></html>",
        status=status,
    )


def html(text: str, *, status: int = 200, policy: str = _POLICY) -> Response:
    """An HTML answer that may load nothing but what `policy` allows."""
    headers = (
        *_headers("text/html; charset=utf-8"),
        ("Content-Security-Policy", policy),
    )
    return Response(status, headers, text.encode())


def plain(text: str, *, status: int = 200) -> Response:
    """A text answer, a line end added: for curl."""
    return Response(status, _headers("text/plain; charset=utf-8"), f"{text}\n".encode())


def as_json(value: Any, *, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(status, _headers("application/json"), json.dumps(value).encode())


def _headers(content_type: str) -> tuple[tuple[str, str], ...]:
    return (
        ("Content-Type", content_type),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
    )
