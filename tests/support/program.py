"""A program of a test's own: a few endpoints under the decorators that all of them stand under."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chalice.app import Blueprint, Chalice

from chalicelib.core import http, operations
from local.lambdas import for_many_threads
from tests.support import api


@contextmanager
def program_of(define: Callable[[Blueprint], None]) -> Iterator[Chalice]:
    """An app with the endpoints that `define` puts on a blueprint; they are unknown afterwards.

    Several threads may call it at once.
    """
    known = dict(operations.registered)
    blueprint = Blueprint(__name__)
    define(blueprint)
    app = Chalice("tests", configure_logs=False)
    app.register_middleware(http.problems_of_the_framework, "http")
    app.register_blueprint(blueprint)
    api._templates.cache_clear()  # noqa: SLF001  it was asked before these paths were known
    try:
        yield for_many_threads(app)
    finally:
        operations.registered.clear()
        operations.registered.update(known)
        api._templates.cache_clear()  # noqa: SLF001
