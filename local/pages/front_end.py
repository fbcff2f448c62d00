"""What stands where a mail leads to a product's own pages, which are no part of a backend."""

from html import escape

from local.http_server import Response
from local.pages.layout import page


def show(path: str) -> Response:
    """`GET /{product}/…`."""
    told = (
        f"<p>Here, at <code>{escape(path)}</code>, the pages of the product begin. Kith is what "
        'stands behind them: <a href="/docs">the API</a> has all that they would show.</p>'
    )
    return page("A page of the product", told, narrow=True)
