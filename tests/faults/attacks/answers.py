"""What is wrong with an answer to something hostile, whatever the operation makes of it."""

import json
import re
from collections.abc import Iterator
from functools import cache

from chalicelib.core.answers import JSON, PROBLEM
from chalicelib.core.errors import AppError
from chalicelib.core.openapi import Problem, ProblemField, errors_of
from chalicelib.core.operations import Operation
from tests.support.api import Answer

MOST_SECONDS = 2.0

_PLAIN = re.compile(r"[\x20-\x7e]*")
_FIELDS = set(Problem.model_fields)
_FIELDS_OF_FIELDS = set(ProblemField.model_fields)
# Told by the framework before there is an operation: no such path, method, or content type.
_BEFORE = {404, 405, 415}


@cache
def _statuses(operation: str) -> frozenset[int]:
    from chalicelib.core.operations import registered  # noqa: PLC0415  when the program is loaded

    known = registered[operation]
    return frozenset({known.status, *_BEFORE, *(error.status for error in errors_of(known))})


def wrong(operation: Operation, answer: Answer, seconds: float) -> Iterator[str]:
    """Each thing that is not as it should be."""
    if seconds >= MOST_SECONDS:
        yield f"took {seconds:.1f} s"
    if answer.status not in _statuses(operation.name) or answer.status == 500:
        yield f"answers {answer.status}: {answer.text[:200]}"
    for name, value in answer.headers.items():
        if not (_PLAIN.fullmatch(name) and _PLAIN.fullmatch(str(value))):
            yield f"has a header {name!r}: {value!r}"
    try:
        answer.text.encode()
    except UnicodeEncodeError:
        yield "is no Unicode"
    if answer.status >= 400:
        yield from _problem(answer)
    elif answer.status == operation.status:
        kind = answer.headers.get("Content-Type")
        if bool(answer.text) != (operation.answer is not None) or (answer.text and kind != JSON):
            yield f"answers {answer.status} with {kind}: {answer.text[:100]!r}"


def _problem(answer: Answer) -> Iterator[str]:
    if answer.headers.get("Content-Type") != PROBLEM:
        yield f"refuses as {answer.headers.get('Content-Type')}"
        return
    told = json.loads(answer.text)
    if set(told) != _FIELDS or any(set(one) != _FIELDS_OF_FIELDS for one in told["errors"]):
        yield f"refuses in another form: {answer.text[:200]}"
        return
    known = AppError.known.get(told["code"])
    if known is None or told["status"] != answer.status or known.status != answer.status:
        yield f"refuses with {answer.status} as {told['code']} of {told['status']}"
    if told["type"] != f"urn:kith:problem:{told['code']}":
        yield f"refuses as {told['type']}"
    if told["request_id"] != answer.headers.get("Request-Id"):
        yield "names another request"
