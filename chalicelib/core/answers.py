"""What goes out: JSON, problems after RFC 9457, and the headers every answer carries."""

import json
from functools import cache
from typing import Any

from chalice.app import CORSConfig, Response
from pydantic import BaseModel

from chalicelib.core.config import config
from chalicelib.core.errors import AppError
from chalicelib.core.statements import Json

JSON = "application/json"
PROBLEM = "application/problem+json"
ALLOWED_HEADERS = ["Authorization", "Content-Type", "Idempotency-Key"]
EXPOSED_HEADERS = ["Request-Id", "Retry-After", "Idempotent-Replayed"]
_PREFLIGHT_SECONDS = 3600

_SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
}


def cors() -> CORSConfig:
    """What browsers are told before they ask; no cookie is used, so none is allowed."""
    return CORSConfig(
        allow_origin=config().cors_origin,
        allow_headers=ALLOWED_HEADERS,
        expose_headers=EXPOSED_HEADERS,
        max_age=_PREFLIGHT_SECONDS,
        allow_credentials=False,
    )


@cache
def _same_for_all(cors_origin: str) -> dict[str, str | list[str]]:
    return {
        **_SECURITY_HEADERS,
        "Access-Control-Allow-Origin": cors_origin,
        "Access-Control-Expose-Headers": ",".join(EXPOSED_HEADERS),
    }


def headers(request_id: str) -> dict[str, str | list[str]]:
    """The headers of every answer, errors included."""
    return {**_same_for_all(config().cors_origin), "Request-Id": request_id}


def text_of(answer: Any) -> str:
    """The JSON text of what a handler returned; empty for None."""
    if answer is None:
        return ""
    if isinstance(answer, Json):
        return answer.text
    if isinstance(answer, BaseModel):
        return answer.model_dump_json()
    raise TypeError(f"a handler returned {type(answer).__name__}, which is no answer")


def success(status: int, text: str, request_id: str, *, replayed: bool = False) -> Response:
    """An answer of a handler."""
    sent = headers(request_id)
    if text:
        sent["Content-Type"] = JSON
    if replayed:
        sent["Idempotent-Replayed"] = "true"
    return Response(body=text, status_code=status, headers=sent)


def problem(error: AppError, request_id: str) -> Response:
    """An error as RFC 9457 has it, with our code, the fields, and the request's id."""
    sent = headers(request_id) | {"Content-Type": PROBLEM}
    if error.retry_after is not None:
        sent["Retry-After"] = str(error.retry_after)
    if error.status == 401:  # noqa: PLR2004  the one status that must name the scheme
        sent["WWW-Authenticate"] = "Bearer"
    return Response(body=problem_text(error, request_id), status_code=error.status, headers=sent)


def problem_text(error: AppError, request_id: str) -> str:
    """The body of a problem."""
    return json.dumps(
        {
            "type": f"urn:kith:problem:{error.code}",
            "title": error.title,
            "status": error.status,
            "code": error.code,
            "detail": error.detail,
            "errors": [one._asdict() for one in error.problems],
            "request_id": request_id,
        }
    )
