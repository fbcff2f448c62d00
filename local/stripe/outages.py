"""Calls that go wrong on order: errors, lost replies and slowness, before or after the work."""

import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from local.stripe.messages import Response, error_body, json_response

Kind = Literal["error", "rate_limit", "reset", "timeout", "slow"]
When = Literal["before", "after"]


@dataclass(frozen=True)
class Outage:
    """What happens to the next `calls` valid API calls of this method and path prefix (None: any).

    `error` answers 500, `rate_limit` 429, `reset` breaks the connection, `timeout` says nothing for
    `seconds` and then breaks it, `slow` answers rightly after `seconds`. With `when` after, the
    work is done and its result kept under the idempotency key: only the reply is lost.
    """

    calls: int
    kind: Kind
    when: When = "before"
    seconds: float = 30.0
    method: str | None = None
    path: str | None = None


class Outages:
    """The outages that were ordered, each used up call by call; `stopping` ends every wait."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._lock = threading.Lock()
        self._ordered: list[tuple[Outage, int]] = []

    def order(self, outage: Outage) -> None:
        """Let the next calls go wrong, after those ordered before."""
        with self._lock:
            self._ordered.append((outage, outage.calls))

    def clear(self) -> None:
        """Let everything go well again."""
        with self._lock:
            self._ordered.clear()

    def take(self, method: str, path: str) -> Outage | None:
        """The outage that meets this call, if one does."""
        with self._lock:
            for position, (outage, left) in enumerate(self._ordered):
                if outage.method not in {None, method} or not path.startswith(outage.path or ""):
                    continue
                if left > 1:
                    self._ordered[position] = (outage, left - 1)
                else:
                    del self._ordered[position]
                return outage
        return None

    def strike(self, outage: Outage) -> Response | None:
        """The answer given instead of the right one; None: the right one, after a wait."""
        if outage.kind in {"timeout", "slow"}:
            self._stopping.wait(outage.seconds)
        if outage.kind == "slow":
            return None
        if outage.kind == "error":
            body = error_body("api_error", "An unknown error occurred.")
            return json_response(HTTPStatus.INTERNAL_SERVER_ERROR, body)
        if outage.kind == "rate_limit":
            body = error_body("invalid_request_error", "Request rate limit exceeded.")
            body["error"]["code"] = "rate_limit"
            return json_response(HTTPStatus.TOO_MANY_REQUESTS, body)
        return Response(HTTPStatus.OK, b"", "", hangs_up=True)
