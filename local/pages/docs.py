"""The API's description, and the page that shows it; neither loads anything from elsewhere."""

import json
from functools import cache

from chalicelib.core import openapi, operations
from local.http_server import Response
from local.pages.layout import html

# The page brings its own scripts and styles; the policy sees to it that it stays so.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "font-src data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def openapi_text() -> str:
    """The OpenAPI document of every operation, as it is committed: indented, one line end."""
    told = openapi.document(list(operations.registered.values()))
    return f"{json.dumps(told, indent=2, ensure_ascii=False)}\n"


def document() -> Response:
    """`GET /openapi.json`; from any origin, so that other tools can read it too."""
    headers = (
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        ("Access-Control-Allow-Origin", "*"),
    )
    return Response(200, headers, openapi_text().encode())


def show() -> Response:
    """`GET /docs`."""
    return html(_page(), policy=_POLICY)


@cache
def _page() -> str:
    from offapi import OpenAPITemplate  # noqa: PLC0415  reads megabytes of scripts

    text: str = OpenAPITemplate.SWAGGER.value.format(spec_url="/openapi.json")
    own = "<title>API · Kith</title><style>body { margin: 0 }</style>"
    return text.replace("<title>SwaggerUI</title>", own)
