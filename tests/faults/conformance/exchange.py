"""A case of the document, sent through the gateway that `make run` has, and its answer checked."""

import itertools
import json
from collections.abc import Iterable, Iterator
from ipaddress import IPv6Address
from urllib.parse import urlsplit

import requests
from requests.models import PreparedRequest
from schemathesis import Response
from schemathesis.checks import CheckFunction, load_all_checks, not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.parameters import ParameterLocation

from local.gateway import Gateway
from local.http_server import Request
from tests.faults.conformance.document import Case
from tests.support.people import Person

load_all_checks()

from schemathesis.specs.openapi.checks import (  # noqa: E402  they are registered before
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

_ALWAYS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
_URL = "http://127.0.0.1:8000"
_FIRST_ADDRESS = int(IPv6Address("2001:db8:3::"))
_addresses = itertools.count(1)

# What the document can't say: of whom a cursor is, that 1.0 is no whole number, which products
# and settings there are, which domain anybody could own, and what our own validators look at.
RULES = {
    "cursor", "int_type", "value_error", "unknown", "domain", "mismatch", "unexpected",
    "out_of_bounds", "integer_type", "text_type", "boolean_type",
}  # fmt: skip


def prepared(case: Case, by: Person | None) -> PreparedRequest:
    """The request as `requests` would send it."""
    told = case.as_transport_kwargs(base_url=_URL)
    headers = {
        name: value for name, value in told.pop("headers").items() if name != "Authorization"
    }
    if by is not None:
        headers["Authorization"] = f"Bearer {by.api.token}"
    names = {"method", "url", "params", "json", "data", "cookies", "files"}
    given = {name: value for name, value in told.items() if name in names}
    return requests.Request(headers=headers, **given).prepare()


def answered(gateway: Gateway, sent: PreparedRequest) -> Response:
    """What the gateway answers, from an address of its own."""
    url = urlsplit(sent.path_url)
    body = sent.body or b""
    request = Request(
        sent.method or "",
        url.path,
        url.query,
        tuple((name.lower(), _text(value)) for name, value in sent.headers.items()),
        body if isinstance(body, bytes) else str(body).encode(),
        str(IPv6Address(_FIRST_ADDRESS + next(_addresses))),
    )
    answer = gateway.answer(request)
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers:
        headers.setdefault(name.lower(), []).append(value)
    return Response(answer.status, headers, answer.body, sent, 0.0, verify=False)


def wrong(case: Case, response: Response) -> Iterator[str]:
    """Each way in which an answer is not what the document says."""
    checks = list(_ALWAYS)
    if _negated(case) - {ParameterLocation.HEADER}:
        # Whoever calls is signed in whatever the case says of that, so headers are another matter.
        checks.append(negative_data_rejection)
    for failure in _failures(case, response, checks):
        yield f"{failure.title}: {' '.join(failure.message.split())}"
    if not _negated(case) and response.status_code == 400:
        yield from _unexplained(response)


def _failures(case: Case, response: Response, checks: list[CheckFunction]) -> Iterable[Failure]:
    try:
        case.validate_response(response, checks=checks)
    except FailureGroup as group:
        return [one for one in group.exceptions if isinstance(one, Failure)]
    except Failure as failure:
        return [failure]
    return ()


def _negated(case: Case) -> set[ParameterLocation]:
    if case.meta is None:
        return set()
    return {place for place, part in case.meta.components.items() if part.mode.is_negative}


def _unexplained(response: Response) -> Iterator[str]:
    """Why something that fits the document was refused, where the document could have said so."""
    problem = json.loads(response.content)
    if problem["code"] == "validation_failed":
        for one in problem["errors"]:
            if one["code"] not in RULES:
                yield f"Fits the document and is refused: {one['field']}: {one['detail']}"


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
