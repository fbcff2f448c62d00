"""Calling what runs on this machine over HTTP: JSON in, JSON out, no proxy."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

_TIMEOUT_SECONDS = 15.0


class ClientError(Exception):
    """It does not answer, or answers with an error; `status` is None or HTTP's, `body` what it said."""

    def __init__(self, message: str, status: int | None = None, body: str = "") -> None:
        super().__init__(message)
        self.status, self.body = status, body


def call(
    method: str,
    url: str,
    body: Any = None,
    *,
    headers: Mapping[str, str] | None = None,
    timeout: float = _TIMEOUT_SECONDS,
) -> Any:
    """Send `body` as JSON and return what the answer's JSON holds; ClientError for any refusal."""
    sent = {"Content-Type": "application/json"} if body is not None else {}
    data = json.dumps(body).encode() if body is not None else None
    text = _exchange(method, url, data, {**sent, **(headers or {})}, timeout)
    return json.loads(text) if text else None


def text_of(url: str, *, timeout: float = _TIMEOUT_SECONDS) -> str:
    """The text at an address; ClientError for any refusal."""
    return _exchange("GET", url, None, {}, timeout)


def submit(url: str, fields: Mapping[str, str]) -> None:
    """Send a form as a browser does, without following where it leads."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    _exchange("POST", url, urlencode(fields).encode(), headers, _TIMEOUT_SECONDS)


def _exchange(
    method: str, url: str, body: bytes | None, headers: dict[str, str], timeout: float
) -> str:
    parts = urlsplit(url)
    target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise ClientError(f"{parts.netloc} does not answer: {error}") from error
    finally:
        connection.close()
    if response.status >= http.client.BAD_REQUEST:
        message = f"{method} {parts.path} answered {response.status}: {text[:300]}"
        raise ClientError(message, response.status, text)
    return text
