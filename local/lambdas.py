"""Calling a handler of the app as AWS Lambda does, and making the app bear many calls at once."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from chalice.app import Chalice

from chalicelib.core import ids

ACCOUNT = "000000000000"
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class LambdaContext:
    """What Lambda tells a handler besides the event."""

    function_name: str
    aws_request_id: str = field(default_factory=lambda: str(ids.uuid7()))
    memory_limit_in_mb: int = 128
    deadline: float = field(default_factory=lambda: time.monotonic() + TIMEOUT_SECONDS)

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would end the function; nothing does so here."""
        return max(0, round((self.deadline - time.monotonic()) * 1000))


class _ManyThreads(Chalice):
    """A Chalice app whose present request and context are those of the calling thread."""

    _here = threading.local()

    @property
    def current_request(self) -> Any:
        return getattr(self._here, "request", None)

    @current_request.setter
    def current_request(self, request: Any) -> None:
        self._here.request = request

    @property
    def lambda_context(self) -> Any:
        return getattr(self._here, "context", None)

    @lambda_context.setter
    def lambda_context(self, context: Any) -> None:
        self._here.context = context


def for_many_threads(app: Chalice) -> Chalice:
    """The same app, safe to be called from several threads: a Lambda has one only."""
    app.__class__ = _ManyThreads
    return app


def invoke(app: Chalice, name: str, event: dict[str, Any]) -> Any:
    """What the handler of that name returns for an event; whatever it raises is raised."""
    return app.handler_map[name](event, LambdaContext(name))
