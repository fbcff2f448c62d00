"""Every hostile input to every operation: which value, in which place, in an order that tells soon.

The first of them are one of each kind, wherever it falls; the whole list puts each kind of value
into each place that takes one.
"""

import base64
import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, cast

from pydantic import BaseModel

from chalicelib.core import binding
from chalicelib.core.errors import AppError
from chalicelib.core.operations import Operation
from chalicelib.core.paging import PageQuery
from tests.faults.attacks.bodies import BODIES, CONTENT_TYPES, TRAVELLING
from tests.faults.attacks.cursors import CURSORS
from tests.faults.attacks.fragments import FRAGMENTS
from tests.faults.attacks.headers import HEADERS
from tests.faults.attacks.requests import Request, Steps
from tests.faults.attacks.texts import TEXTS

Spoil = Callable[[Request, str], None]


class Shot(NamedTuple):
    """One hostile input: the value of that name, put into a place of an operation's request."""

    operation: str
    place: str
    kind: str
    spoil: Spoil

    @property
    def title(self) -> str:
        """What it is, for people."""
        return f"{self.operation}, {self.place}: {self.kind}"


def shots(operations: Iterable[Operation]) -> list[Shot]:
    """All of them, in the same order each time."""
    every = [
        Shot(operation.name, place, kind, spoil)
        for operation in operations
        for place, kinds, spoil in _places(operation)
        for kind in kinds
    ]
    random.Random(20261120).shuffle(every)
    seen: Counter[tuple[str, str]] = Counter()
    ranked = []
    for shot in every:
        group = (shot.place.partition(" ")[0], shot.kind)
        ranked.append((seen[group], shot))
        seen[group] += 1
    return [shot for _rank, shot in sorted(ranked, key=lambda pair: pair[0])]


def _places(operation: Operation) -> Iterator[tuple[str, Iterable[str], Spoil]]:
    for name in operation.path_parameters:
        yield f"path {name}", PATHS, _in_path(name)
    if operation.query is not None:
        for name in cast("type[BaseModel]", operation.query).model_fields:
            yield f"query {name}", TEXTS, _in_query(name)
        if issubclass(operation.query, PageQuery):
            yield "cursor", CURSORS, _cursor
    yield "parameter", TEXTS, _beside_the_query
    if operation.body is not None:
        for steps in fields_of(cast("type[BaseModel]", operation.body)):
            yield f"field {'.'.join(map(str, steps))}", FRAGMENTS, _in_body(steps)
    if operation.body is not None or operation.raw or operation.moves:
        yield "body", BODIES, _whole_body
        yield "travelling", TRAVELLING, _travelling
        yield "type", CONTENT_TYPES, _content_type
    yield "header", HEADERS, _header
    yield "envelope", ENVELOPES, _envelope


def fields_of(model: type[BaseModel]) -> list[Steps]:
    """Every place of a body that its schema names."""
    schema = model.model_json_schema()
    return [(), *_fields(schema, schema.get("$defs", {}))]


def _fields(schema: dict[str, Any], known: dict[str, Any]) -> Iterator[Steps]:
    while "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    for option in schema.get("anyOf", []):
        yield from _fields(option, known)
    for name, inner in schema.get("properties", {}).items():
        yield (name,)
        yield from ((name, *steps) for steps in _fields(inner, known))
    if schema.get("type") == "array":
        yield (0,)
        yield from ((0, *steps) for steps in _fields(schema["items"], known))


def _percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode(errors="surrogatepass"))


_ENCODED: dict[str, Callable[[str], str]] = {
    "encoded": _percent,
    "encoded twice": lambda valid: _percent(valid).replace("%", "%25"),
    "encoded five times": lambda valid: _percent(valid).replace("%", "%25252525"),
    "upper case": str.upper,
    "a space after": lambda valid: f"{valid}%20",
    "a newline after": lambda valid: f"{valid}%0a",
    "NUL after": lambda valid: f"{valid}%00",
    "a slash after": lambda valid: f"{valid}%2f",
    "up and down again": lambda valid: f"{valid}%2f..%2f{valid}",
    "a parameter after": lambda valid: f"{valid};a=b",
    "a query after": lambda valid: f"{valid}%3fproduct=all",
    "a plus": lambda valid: valid.replace("-", "+"),
    **{
        f"as it is: {text[:30]}": lambda _valid, text=text: text  # type: ignore[misc]
        for text in (
            "%",
            "%%",
            "%2",
            "%zz",
            "%u0041",
            "%00",
            "%c0%ae%c0%ae",
            "%ff%fe",
            "%ed%a0%80",
            "%f4%90%80%80",
            "%25%30%30",
            "%2e%2e%2f%2e%2e%2fadmin",
            "%252e%252e%252f",
            "..;/",
            "%5c..%5c",
            "%0d%0aX-Injected:%201",
            "%" * 9_000,
            "%25" * 9_000,
        )
    },
}
PATHS = (*_ENCODED, *TEXTS)

# What an event may say that no handler asked for; a gateway lets some of it through.
ENVELOPES: dict[str, Callable[[Request], None]] = {
    "another method": lambda request: setattr(request, "method", "PATCH"),
    "no method": lambda request: setattr(request, "method", "\ud800"),
    "another route": lambda request: setattr(request, "route", "/v1/\ud800"),
    "no route": lambda request: setattr(request, "route", ""),
    "more in the path": lambda request: request.path.update(
        {"caller": "x", "db": "x", "\ud800": "x"}
    ),
    "5,000 parameters": lambda request: request.query.update(
        {f"p{n}": ["x"] for n in range(5_000)}
    ),
    "a parameter 1,000 times": lambda request: request.query.update({"limit": ["1"] * 1_000}),
    "no headers": lambda request: request.headers.clear(),
    "5,000 headers": lambda request: request.headers.update({f"x-{n}": "x" for n in range(5_000)}),
    "a long address": lambda request: setattr(request, "address", "1" * 60_000),
    "no address": lambda request: setattr(request, "address", ""),
}


def _in_path(name: str) -> Spoil:
    def spoil(request: Request, kind: str) -> None:
        encode = _ENCODED.get(kind)
        request.path[name] = encode(request.path[name]) if encode else TEXTS[kind]

    return spoil


def _in_query(name: str) -> Spoil:
    def spoil(request: Request, kind: str) -> None:
        request.query[name] = [TEXTS[kind]]

    return spoil


def _beside_the_query(request: Request, kind: str) -> None:
    request.query[TEXTS[kind]] = [TEXTS[kind], kind]


def _cursor(request: Request, kind: str) -> None:
    """A cursor with the digest of just these filters, so that what follows it is read."""
    request.query.pop("cursor", None)
    model = cast("type[PageQuery]", request.operation.query)
    try:
        digest = cast("PageQuery", binding.query_of(model, request.query)).digest()
    except AppError:
        digest = hashlib.sha256(b"").hexdigest()[:12]
    told = CURSORS[kind].replace("DIGEST", json.dumps(digest))
    encoded = base64.urlsafe_b64encode(told.encode(errors="surrogatepass"))
    request.query["cursor"] = [encoded.rstrip(b"=").decode()]


def _in_body(steps: Steps) -> Spoil:
    return lambda request, kind: request.put(steps, FRAGMENTS[kind])


def _whole_body(request: Request, kind: str) -> None:
    request.raw = BODIES[kind](request.valid)


def _travelling(request: Request, kind: str) -> None:
    request.body, request.encoded = TRAVELLING[kind]
    request.travels = True


def _content_type(request: Request, kind: str) -> None:
    request.headers["content-type"] = kind


def _header(request: Request, kind: str) -> None:
    name, value = HEADERS[kind]
    request.headers[name] = value


def _envelope(request: Request, kind: str) -> None:
    ENVELOPES[kind](request)
