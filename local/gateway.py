"""API Gateway on one machine: a request becomes the event that the app's Lambda gets on AWS.

What API Gateway itself answers (no such path, no such method, preflights, too large, too many at
once) is answered here, in the form of the app's own problems.
"""

import base64
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

from chalice.app import Chalice
from chalice.app import Response as LambdaResponse

from chalicelib.core import answers, clock, ids, log
from chalicelib.core.errors import (
    AppError,
    BodyTooLarge,
    InternalError,
    MethodNotAllowed,
    NotFound,
    Unavailable,
)
from local import http_server
from local.http_server import BadRequest, Request, Response
from local.lambdas import ACCOUNT, LambdaContext
from local.routes import Routes

THREADS = 16
"""Requests worked on at once: each thread keeps a database connection of its own."""
_PATIENCE_SECONDS = 2.0
_BUSY_AGAIN_SECONDS = 1
_STAGE = "local"


class Gateway:
    """Answers requests with the routes of an app."""

    def __init__(
        self, app: Chalice, *, threads: int = THREADS, patience: float = _PATIENCE_SECONDS
    ) -> None:
        self._app = app
        self._routes = Routes(app.routes)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="lambda")
        self._free = threading.BoundedSemaphore(threads)
        self._patience = patience

    def answer(self, request: Request) -> Response:
        """The answer to a request; waits a moment for a free thread, else says try again."""
        started = time.perf_counter()
        request_id = str(ids.uuid7())
        found = self._routes.match(request.path)
        if found is None:
            return self._problem(NotFound(), request, request_id, started)
        views = self._app.routes[found.route]
        method = _method(request, views)
        if method == "OPTIONS":
            return _preflight(request_id, list(views))
        if method not in views:
            refused = self._problem(MethodNotAllowed(), request, request_id, started)
            allowed = ("Allow", ", ".join([*views, "OPTIONS"]))
            return Response(refused.status, (*refused.headers, allowed), refused.body)
        if not self._free.acquire(timeout=self._patience):
            busy = Unavailable(retry_after=_BUSY_AGAIN_SECONDS)
            return self._problem(busy, request, request_id, started)
        try:
            event = _event(request, method, found.route, found.parameters, request_id)
            work = self._pool.submit(self._app, event, LambdaContext("api"))
            return _response(work.result())
        except Exception as error:  # noqa: BLE001  an answer that can't be sent is a 502 on AWS
            log.line("gateway_failed", request_id=request_id, error=log.frames(error))
            return self._problem(InternalError(), request, request_id, started)
        finally:
            self._free.release()

    def stop(self) -> None:
        """Let the threads go once they have done what they are doing."""
        self._pool.shutdown(wait=False)

    def _problem(
        self, error: AppError, request: Request, request_id: str, started: float
    ) -> Response:
        log.line(
            "request",
            request_id=request_id,
            method=request.method,
            path=request.path,
            status=error.status,
            code=error.code,
            ms=round((time.perf_counter() - started) * 1000, 2),
        )
        return problem(error, request_id)


def problem(error: AppError, request_id: str | None = None) -> Response:
    """An error of the app as an HTTP answer."""
    return _sent(answers.problem(error, request_id or str(ids.uuid7())))


def refuse(refused: BadRequest | http_server.BodyTooLarge) -> Response:
    """What goes out for a request that could not be read."""
    if isinstance(refused, http_server.BodyTooLarge):
        return problem(BodyTooLarge(f"at most {http_server.LARGEST_BODY:,} bytes"))
    return problem(AppError(str(refused)))


def _method(request: Request, views: dict[str, Any]) -> str:
    """The method to call; who asks for the head alone gets the head of what GET answers."""
    return "GET" if request.method == "HEAD" and "HEAD" not in views else request.method


def _preflight(request_id: str, methods: list[str]) -> Response:
    told = answers.cors().get_access_control_headers()
    headers = answers.headers(request_id) | told
    headers["Access-Control-Allow-Methods"] = ",".join(sorted([*methods, "OPTIONS"]))
    return _sent(LambdaResponse(body="", status_code=204, headers=headers))


def _event(
    request: Request, method: str, route: str, parameters: dict[str, str], request_id: str
) -> dict[str, Any]:
    """The event of a REST API, payload version 1.0, as far as something here may read it."""
    several: dict[str, list[str]] = {}
    for name, value in request.headers:
        several.setdefault(name, []).append(value)
    asked = parse_qs(request.query, keep_blank_values=True, errors="replace")
    try:
        body, encoded = request.body.decode(), False
    except UnicodeDecodeError:
        body, encoded = base64.b64encode(request.body).decode(), True
    return {
        "resource": route,
        "path": request.path,
        "httpMethod": method,
        "headers": dict(request.headers),
        "multiValueHeaders": several,
        "queryStringParameters": {name: values[-1] for name, values in asked.items()} or None,
        "multiValueQueryStringParameters": asked or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": _STAGE,
            "stage": _STAGE,
            "protocol": "HTTP/1.1",
            "httpMethod": method,
            "resourcePath": route,
            "path": request.path,
            "requestId": request_id,
            "requestTimeEpoch": round(clock.real_time().timestamp() * 1000),
            "identity": {
                "sourceIp": request.source_address,
                "userAgent": request.header("user-agent"),
            },
        },
        "body": body or None,
        "isBase64Encoded": encoded,
    }


def _response(answer: dict[str, Any]) -> Response:
    """What the Lambda returned as an HTTP answer."""
    several: dict[str, list[str]] = {
        name: [str(value)] for name, value in (answer.get("headers") or {}).items()
    }
    several |= answer.get("multiValueHeaders") or {}
    body: str = answer.get("body") or ""
    return Response(
        int(answer["statusCode"]),
        tuple((name, value) for name, values in several.items() for value in values),
        base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode(),
    )


def _sent(response: LambdaResponse) -> Response:
    return _response(response.to_dict())
