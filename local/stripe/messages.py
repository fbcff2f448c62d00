"""HTTP requests and answers, without their transport."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from local.stripe.errors import Json


@dataclass(frozen=True)
class Request:
    """What came in. Header names are in lower case; `query` is still encoded."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """What goes out. With `hangs_up` the connection is reset instead of anything being sent."""

    status: int
    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)
    hangs_up: bool = False


def json_response(status: int, body: object) -> Response:
    """An answer in JSON, indented as Stripe's are."""
    return json_text(status, json.dumps(body, indent=2, ensure_ascii=False))


def json_text(status: int, text: str) -> Response:
    """An answer whose JSON is written already."""
    return Response(status, text.encode(), "application/json")


def html_response(html: str, status: int = HTTPStatus.OK) -> Response:
    """A page. It may load nothing and run nothing but its own style."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return Response(status, html.encode(), "text/html; charset=utf-8", headers)


def redirect(url: str) -> Response:
    """Send the browser on, to be fetched by GET."""
    headers = {"Location": url, "Cache-Control": "no-store"}
    body = f"See {url}\n".encode()
    return Response(HTTPStatus.SEE_OTHER, body, "text/plain; charset=utf-8", headers)


def error_body(kind: str, message: str) -> Json:
    """An error in Stripe's shape that has neither code nor parameter."""
    return {"error": {"type": kind, "message": message}}
