"""A request that is about to be made, in pieces that can be spoiled one by one."""

import base64
import copy
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from chalicelib.core.operations import Operation
from tests.faults.described.scene import Call
from tests.support.api import event_of

Steps = tuple[str | int, ...]
"""Where a value stands in a body: `("contact_info", "email")`; empty is the body itself."""

_HERE = "\ue000here\ue000"
_QUOTED = json.dumps(_HERE)


@dataclass
class Request:
    """What goes out. Each piece is its own copy of what a described call says."""

    operation: Operation
    path: dict[str, str]
    query: dict[str, list[str]]
    headers: dict[str, str]
    json: Any
    raw: bytes | None
    address: str
    method: str = ""
    route: str = ""
    body: str | None = None
    encoded: bool = False
    travels: bool = field(default=False)
    """Whether `body` and `encoded` say how the body travels, whatever it is."""

    def put(self, steps: Steps, fragment: str) -> None:
        """Put JSON source at a place of the body."""
        told = _with(self.json, steps, _HERE)
        text = json.dumps(told).replace(_QUOTED, fragment)
        self.raw = text.encode(errors="surrogatepass")

    @property
    def valid(self) -> str:
        """The body as it should be."""
        if self.raw is not None:
            return self.raw.decode()
        return json.dumps({} if self.json is None else self.json)

    def event(self, *, as_base64: bool) -> dict[str, Any]:
        """The event of it. API Gateway hands a body over as text, or told to, as base64."""
        if not self.travels:
            raw = self.raw
            if raw is None and self.json is not None:
                raw = json.dumps(self.json).encode()
            self.body, self.encoded = _travelling(raw, as_base64=as_base64)
        route = self.route or self.operation.path
        return event_of(
            self.method or self.operation.method,
            route,
            path=route,
            values=self.path,
            query=self.query,
            headers=self.headers,
            body=self.body,
            encoded=self.encoded,
            address=self.address,
        )


def request_of(operation: Operation, call: Call, address: str) -> Request:
    """The request that a described call is, from an address."""
    headers = {"content-type": "application/json"} | dict(call.headers)
    if call.by is not None:
        headers["authorization"] = f"Bearer {call.by.api.token}"
    if operation.moves:
        headers["idempotency-key"] = str(uuid4())
    return Request(
        operation,
        {name: str(value) for name, value in call.path.items()},
        {name: _texts(value) for name, value in call.query.items()},
        headers,
        copy.deepcopy(call.body),
        call.raw,
        address,
    )


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _travelling(raw: bytes | None, *, as_base64: bool) -> tuple[str | None, bool]:
    if raw is None:
        return None, False
    if not as_base64:
        try:
            return raw.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(raw).decode(), True


def _with(told: Any, steps: Steps, value: object) -> Any:
    """A copy with a value at a place, whether or not the place is there yet."""
    if not steps:
        return value
    step, *others = steps
    if isinstance(step, int):
        items = list(told) if isinstance(told, list) else []
        inner = items[0] if items else None
        return [_with(inner, tuple(others), value), *items[1:]]
    known = dict(told) if isinstance(told, dict) else {}
    return known | {step: _with(known.get(step), tuple(others), value)}
