"""The API under /v1: who asks, what for, with which parameters; then once, whatever is repeated."""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from urllib.parse import unquote

from local.stripe import idempotency
from local.stripe.errors import Json, StripeError, invalid, not_implemented, unauthorized
from local.stripe.expansion import expand
from local.stripe.fake import Fake
from local.stripe.forms import Tree, decode
from local.stripe.identifiers import new_id
from local.stripe.messages import Request, Response, json_response, json_text
from local.stripe.objects import (
    charges,
    checkout,
    customers,
    disputes,
    events,
    payments,
    prices,
    products,
    refunds,
)
from local.stripe.operations import Operation
from local.stripe.parameters import api_version, check
from local.stripe.work import Work

_NOUNS = (charges, checkout, customers, disputes, events, payments, prices, products, refunds)
_ROUTES = [
    (operation.method, re.compile(operation.path.replace("{id}", "([^/]+)")), operation)
    for noun in _NOUNS
    for operation in noun.OPERATIONS
]


def answer(fake: Fake, request: Request) -> Response:
    """Answer one API call, errors included; each answer carries a Request-Id."""
    request_id = new_id("req_", 14)
    try:
        response = _answer(fake, request, request_id)
    except StripeError as error:
        response = json_response(error.status, error.body())
    response.headers.setdefault("Request-Id", request_id)
    return response


def _answer(fake: Fake, request: Request, request_id: str) -> Response:
    _authenticate(fake, request.headers.get("authorization", ""))
    operation, identifier = _route(request)
    version = request.headers.get("stripe-version", api_version())
    if version != api_version():
        raise not_implemented(f"API version {version}, only {api_version()}")
    tree = _parameters(request)
    asked = check(tree, operation.parameters, empty_unsets=operation.updates)
    for name in asked:
        if name not in operation.implements:
            raise not_implemented(f"`{name}` of {operation.method} {operation.path}", param=name)
    key = request.headers.get("idempotency-key") if request.method == "POST" else None
    with fake.keys.claim(key):
        outage = fake.outages.take(request.method, request.path)
        struck = None
        if outage is not None and outage.when == "before":
            struck = fake.outages.strike(outage)
        if struck is None:
            with fake.work(request_id=request_id, idempotency_key=key) as work:
                if key is None:
                    response = json_text(*_run(work, operation, identifier, asked))
                else:
                    run = partial(_run, work, operation, identifier, asked)
                    response = _once(work, request.path, tree, run)
            if outage is not None and outage.when == "after":
                struck = fake.outages.strike(outage)
        return struck or response


def _authenticate(fake: Fake, header: str) -> None:
    """Accept our one secret key, as a bearer token or as curl's `-u key:`."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            decoded = base64.b64decode(credentials, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            decoded = ""
        credentials = decoded.partition(":")[0]
    if not credentials or scheme.lower() not in {"basic", "bearer"}:
        raise unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization"
            " header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
        )
    if not hmac.compare_digest(credentials.encode(), fake.settings.api_key.encode()):
        raise unauthorized(f"Invalid API Key provided: {credentials[:8]}********")


def _route(request: Request) -> tuple[Operation, str]:
    """The operation at this address, and the id in it."""
    for method, path, operation in _ROUTES:
        match = path.fullmatch(request.path)
        if match and method == request.method:
            return operation, unquote(match[1]) if match.groups() else ""
    raise StripeError(
        HTTPStatus.NOT_FOUND,
        "invalid_request_error",
        f"Unrecognized request URL ({request.method}: {request.path}). If it is one of Stripe's, the"
        " local fake does not implement it.",
    )


def _parameters(request: Request) -> Tree:
    """The parameters as they came: a form in the body of a POST, else the query."""
    if request.method != "POST":
        return decode(request.query)
    content_type = request.headers.get("content-type", "application/x-www-form-urlencoded")
    if request.body and not content_type.startswith("application/x-www-form-urlencoded"):
        raise invalid("Invalid Content-Type: the API takes application/x-www-form-urlencoded.")
    try:
        return decode(request.body.decode())
    except UnicodeDecodeError as error:
        raise invalid("Invalid encoding: the body must be UTF-8.") from error


def _once(work: Work, path: str, tree: Tree, run: Callable[[], tuple[int, str]]) -> Response:
    """Do the work, or repeat what was answered when it was done."""
    first = idempotency.recall(work, path, tree)
    response = json_text(*(first or run()))
    if first is None:
        idempotency.remember(work, path, tree, response.status, response.body.decode())
    else:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _run(work: Work, operation: Operation, identifier: str, asked: Json) -> tuple[int, str]:
    """The status and JSON of an operation. One that fails has changed nothing, unless its error
    is itself the outcome, as with a declined card.
    """
    try:
        with work.rows.all_or_nothing():
            try:
                body = operation.run(work, identifier, asked)
            except StripeError as error:
                if not error.keeps_work:
                    raise
                return error.status, json.dumps(error.body(), indent=2)
            body = expand(work, body, asked.get("expand", []))
    except StripeError as error:
        return error.status, json.dumps(error.body(), indent=2)
    return HTTPStatus.OK, json.dumps(body, indent=2)
