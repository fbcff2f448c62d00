"""Operations as they are declared: who may call, what comes in and goes out, what can go wrong."""

from typing import Any

from pydantic import BaseModel, TypeAdapter

from chalicelib.core.errors import AppError
from chalicelib.core.openapi import answer_of
from chalicelib.core.operations import Access, Anonymous, Operation, Optional, User, Verified
from chalicelib.core.schemas import Schema

_TYPED = {"$ref", "allOf", "anyOf", "const", "enum", "oneOf", "type"}
_OPEN_KINDS = {Any, object, dict, list}
_WEBHOOKS = "/v1/webhooks/"
_NO_CONTENT = 204


def _of(one: Operation, what: str) -> str:
    return f"{one.name} ({one.method} {one.path}): {what}"


def unguarded(operations: list[Operation]) -> list[str]:
    """Operations that don't say plainly who may call them."""
    found = []
    for one in operations:
        access: Any = one.access
        if not isinstance(access, Access):
            found.append(_of(one, f"caller is {access!r}"))
        elif access.roles:
            product = one.function.__module__.partition("chalicelib.products.")[2].split(".")[0]
            named = "{product}" if "{product}" in one.path else product
            if (named or access.product) and access.product != named:
                found.append(_of(one, f"its staff are those of {named or 'no product'}"))
        elif access not in (Anonymous, Optional, User, Verified):
            found.append(_of(one, f"{access.name} is no known kind of caller"))
    return found


def untyped(operations: list[Operation]) -> list[str]:
    """Input and answers that promise nothing: Any, open objects, values of no kind."""
    found = []
    for one in operations:
        for name, kind in one.path_parameters.items():
            if kind in _OPEN_KINDS:
                found.append(_of(one, f"path {name} has no type"))
        shapes = [("query", one.query), ("body", one.body), ("answer", answer_of(one))]
        for place, shape in shapes:
            if shape is not None:
                found += [_of(one, f"{place}{path}") for path in _openings(shape)]
        if answer_of(one) is None and one.status != _NO_CONTENT:
            found.append(_of(one, "an answer without a schema is a 204"))
        if one.raw and not one.path.startswith(_WEBHOOKS):
            found.append(_of(one, "only webhooks take a body without a schema"))
    return found


def _openings(shape: Any) -> list[str]:
    if not (isinstance(shape, type) and issubclass(shape, BaseModel)):
        return [f" is {shape!r}, no schema"]
    if not issubclass(shape, Schema):
        return [f" {shape.__name__} is no core.schemas.Schema"]
    found = set()
    for mode in ("validation", "serialization"):
        document = TypeAdapter(shape).json_schema(mode=mode)
        for name, model in document.get("$defs", {}).items():
            found |= set(_open_nodes(model, f" {name}"))
        found |= set(_open_nodes(document, f" {shape.__name__}"))
    return sorted(found)


def _open_nodes(node: Any, path: str) -> list[str]:
    """Where a JSON schema takes anything."""
    if not isinstance(node, dict):
        return [f"{path} takes anything"]
    found = []
    if not node.keys() & _TYPED:
        found.append(f"{path} takes anything")
    if node.get("type") == "object" and node.get("additionalProperties") is not False:
        found.append(f"{path} is an open object")
    if node.get("type") == "array" and not node.keys() & {"items", "prefixItems"}:
        found.append(f"{path} is a list of anything")
    for name, inner in node.get("properties", {}).items():
        found += _open_nodes(inner, f"{path}.{name}")
    for keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
        for inner in node.get(keyword, []):
            found += _open_nodes(inner, path)
    if "items" in node:
        found += _open_nodes(node["items"], f"{path}[]")
    return found


def wrong_errors(operations: list[Operation]) -> list[str]:
    """Declared errors that are no errors of ours."""
    return [
        _of(one, f"{error!r} is no error with a code of its own")
        for one in operations
        for error in one.errors
        if not (isinstance(error, type) and issubclass(error, AppError) and error is not AppError)
    ]


def unbound(operations: list[Operation]) -> list[str]:
    """Paths whose parameters the handler doesn't take, or whose form is not the house's."""
    found = []
    for one in operations:
        steps = [step for step in one.path.split("/") if step]
        named = {step[1:-1] for step in steps if step.startswith("{")}
        if named != set(one.path_parameters):
            found.append(_of(one, f"the path names {sorted(named)}"))
        plain = [step for step in steps if not step.startswith("{")]
        if steps[:1] != ["v1"] or any(step != step.lower() or "-" in step for step in plain):
            found.append(_of(one, "paths are /v1/…, in snake_case"))
        if one.method == "GET" and (one.body or one.moves):
            found.append(_of(one, "a GET takes no body and moves nothing"))
    return found
