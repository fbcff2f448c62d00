"""From a request's text to typed input, or to problems that name each field."""

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError

from chalicelib.core.errors import (
    BodyTooLarge,
    FieldProblem,
    MalformedBody,
    UnsupportedMediaType,
    ValidationFailed,
)

MAX_BODY_BYTES = 64 * 1024
MAX_DEPTH = 32
_MAX_PROBLEMS = 20
_TRUTH: Mapping[str, bool] = {"true": True, "false": False}
_LONGEST_INTEGER = len(str(-(1 << 63)))

_BOM = b"\xef\xbb\xbf"
# The end of a text may be missing, and nothing is read twice: the time stays that of one reading.
_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def body_of(model: type[BaseModel], raw: bytes, content_type: str, limit: int) -> BaseModel:
    """The body as `model`.

    Errors: UnsupportedMediaType, BodyTooLarge, MalformedBody for what is no JSON or holds repeated
    keys, NaN, lone surrogates, NUL, or more than 32 levels; ValidationFailed naming `body.…`.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType
    if len(raw) > limit:
        raise BodyTooLarge(f"at most {limit:,} bytes")
    _check_json(raw)
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise ValidationFailed(problems=_problems("body", error)) from error


def query_of(model: type[BaseModel], given: Mapping[str, list[str]]) -> BaseModel:
    """The query string as `model`; ValidationFailed names `query.…`.

    A parameter may be given once, or several times where the model takes a list.
    """
    values: dict[str, str | bool | list[str | bool]] = {}
    for name, several in given.items():
        field = model.model_fields.get(name)
        many = field is not None and "list" in str(field.annotation)
        if len(several) > 1 and not many:
            raise ValidationFailed(problems=(_problem("query", name, "repeated", "given twice"),))
        if any(_unstorable(value) for value in several):
            raise ValidationFailed(problems=(_problem("query", name, "text", "not storable"),))
        yes_or_no = field is not None and "bool" in str(field.annotation)
        read = [_TRUTH.get(text, text) if yes_or_no else text for text in several]
        values[name] = read if many else read[0]
    try:
        # As a body would say it: pydantic's own reading of strings knows no lists, and takes `yes`.
        return model.model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise ValidationFailed(problems=_problems("query", error)) from error


def path_of(kinds: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """The path's parameters, decoded and typed; ValidationFailed names `path.…`."""
    values = {}
    for name, kind in kinds.items():
        try:
            text = unquote_to_bytes(given[name]).decode()
        except UnicodeError as error:
            raise ValidationFailed(
                problems=(_problem("path", name, "text", "not UTF-8"),)
            ) from error
        if _unstorable(text):
            raise ValidationFailed(problems=(_problem("path", name, "text", "not storable"),))
        if kind is UUID:
            # uuid.UUID also takes braces, urn: and missing hyphens; one id has one address.
            if not _UUID.fullmatch(text):
                raise ValidationFailed(problems=(_problem("path", name, "uuid", "not an id"),))
            values[name] = UUID(text)
            continue
        try:
            values[name] = adapter(kind).validate_strings(text)
        except ValidationError as error:
            problems = _problems(f"path.{name}", error)
            raise ValidationFailed(problems=problems) from error
    return values


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """What validates a type, built once."""
    return TypeAdapter(kind)


def _unstorable(text: str) -> bool:
    """Whether PostgreSQL has no form for a text: it holds NUL or a lone surrogate."""
    return _UNSTORABLE.search(text) is not None


def _check_json(raw: bytes) -> None:
    """Refuse what parsers disagree on, before one of them decides."""
    if raw.startswith(_BOM):
        raise MalformedBody("the body begins with a byte order mark")
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
        raise MalformedBody(f"more than {MAX_DEPTH} levels deep")
    try:
        text = raw.decode()
        json.loads(
            text,
            object_pairs_hook=_once_each,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_of_64_bits,
        )
    except (ValueError, RecursionError) as error:
        raise MalformedBody(_reason(error)) from error
    if "\\u0000" in text and _holds_nul(json.loads(text)):
        raise MalformedBody("text with a NUL character")


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "the body is not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON at line {error.lineno}, column {error.colno}"
    return str(error)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number that is out of range")
    return value


def _of_64_bits(text: str) -> int:
    if len(text) > _LONGEST_INTEGER or not -(1 << 63) <= int(text) < 1 << 63:
        raise ValueError("a whole number that is out of range")
    return int(text)


def _depth(raw: bytes) -> int:
    deepest = depth = 0
    for byte in _STRINGS.sub(b"", raw):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(_holds_nul(part) for part in value)


def _problem(place: str, name: str, code: str, detail: str) -> FieldProblem:
    return FieldProblem(f"{place}.{name}", code, detail)


def _problems(place: str, error: ValidationError) -> tuple[FieldProblem, ...]:
    """What pydantic found, without the input itself: it may be a password."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(
        FieldProblem(
            ".".join([place, *(_shown(part) for part in one["loc"])]), one["type"], one["msg"]
        )
        for one in found[:_MAX_PROBLEMS]
    )


def _shown(part: int | str) -> str:
    """A step of a field's path, as text that any encoder takes."""
    return str(part)[:100].encode(errors="replace").decode()
