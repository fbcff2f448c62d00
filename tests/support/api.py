"""Calls to the program as API Gateway and SQS make them, in this process."""

import base64
import json
import re
import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from chalice.app import Chalice

from chalicelib.core import operations


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The code of a problem."""
        code: str = self.json["code"]
        return code


class Context:
    """What Lambda tells a function of its invocation."""

    function_name = "kith"
    function_version = "$LATEST"
    invoked_function_arn = ""
    memory_limit_in_mb = 256
    aws_request_id = "test"
    log_group_name = ""
    log_stream_name = ""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Milliseconds until Lambda gives up."""
        return 29_000


@cache
def _templates() -> list[tuple[str, re.Pattern[str]]]:
    paths = sorted({one.path for one in operations.registered.values()}, key=lambda p: "{" in p)
    return [(path, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path))) for path in paths]


@dataclass
class Api:
    """A client. `token` signs it in; `address` is where API Gateway saw it come from."""

    app: Chalice
    token: str | None = None
    address: str = "203.0.113.7"
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **options: Any) -> Answer:
        """GET."""
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        """POST a body as JSON."""
        return self.call("POST", path, body=body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        """PUT a body as JSON."""
        return self.call("PUT", path, body=body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> Answer:
        """PATCH a body as JSON."""
        return self.call("PATCH", path, body=body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        """DELETE."""
        return self.call("DELETE", path, **options)

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        raw: bytes | None = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        plain: bool = False,
    ) -> Answer:
        """Any request. `raw` are the body's exact bytes; `key` is the Idempotency-Key.

        `plain` hands the body over as text; API Gateway does either.
        """
        sent = {"content-type": "application/json"} | self.headers
        if self.token:
            sent["authorization"] = f"Bearer {self.token}"
        if key:
            sent["idempotency-key"] = key
        sent |= headers or {}
        if raw is None and body is not None:
            raw = json.dumps(body).encode()
        event = self._event(method, path, sent, raw)
        if plain and raw is not None:
            event |= {"body": raw.decode(), "isBase64Encoded": False}
        return answered(self.app, event)

    def _event(
        self, method: str, path: str, headers: dict[str, str], raw: bytes | None
    ) -> dict[str, Any]:
        parts = urlsplit(path)
        template, values = next(
            (
                (template, match.groupdict())
                for template, pattern in _templates()
                if (match := pattern.fullmatch(parts.path))
            ),
            (parts.path, {}),
        )
        several: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            several.setdefault(name, []).append(value)
        return event_of(
            method,
            template,
            path=parts.path,
            values=values,
            query=several,
            headers=headers,
            body=base64.b64encode(raw).decode() if raw is not None else None,
            encoded=raw is not None,
            address=self.address,
        )


def event_of(
    method: str,
    template: str,
    *,
    path: str,
    values: dict[str, str],
    query: dict[str, list[str]],
    headers: dict[str, str],
    body: str | None,
    encoded: bool,
    address: str,
) -> dict[str, Any]:
    """The event of a REST API, payload version 1.0. `template` is the route, `values` its parts."""
    return {
        "resource": template,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: v[-1] for name, v in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": values or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": template,
            "httpMethod": method,
            "path": path,
            "requestId": str(uuid.uuid4()),
            "identity": {"sourceIp": address},
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


def answered(app: Chalice, event: dict[str, Any]) -> Answer:
    """What the Lambda answers to an event, as API Gateway reads it."""
    answer = app(event, Context())
    several = answer.get("multiValueHeaders", {})
    found = {**answer["headers"], **{name: values[0] for name, values in several.items()}}
    return Answer(answer["statusCode"], answer["body"], found)
