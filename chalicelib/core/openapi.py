"""OpenAPI 3.1 of every operation, from the handlers themselves."""

from http import HTTPStatus
from typing import Any, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from chalicelib.core import errors
from chalicelib.core.binding import adapter
from chalicelib.core.errors import AppError
from chalicelib.core.operations import Operation
from chalicelib.core.schemas import Schema
from chalicelib.core.statements import Json

_REF = "#/components/schemas/{model}"
_EXAMPLE_ID = "019a9e00-0000-7000-8000-000000000001"


class ProblemField(Schema):
    """What is wrong with one field."""

    field: str = Field(examples=["body.email"])
    code: str = Field(examples=["missing"])
    detail: str = Field(examples=["Field required"])


class Problem(Schema):
    """An answer other than success, after RFC 9457."""

    type: str = Field(examples=["urn:kith:problem:validation_failed"])
    title: str
    status: int
    code: str
    detail: str
    errors: list[ProblemField]
    request_id: str


def document(operations: list[Operation], *, title: str = "Kith", version: str = "0.1.0") -> Any:
    """The OpenAPI document, as JSON takes it; the same operations give the same document."""
    ordered = sorted(operations, key=lambda one: (one.path, one.method))
    models = {model for one in ordered for model in _models(one)} | {Problem}
    _, schemas = models_json_schema(
        sorted(((model, "validation") for model in models), key=lambda pair: pair[0].__name__),
        ref_template=_REF,
    )
    paths: dict[str, dict[str, Any]] = {}
    for one in ordered:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "description": "Problems follow RFC 9457; lists are paged by `next_cursor`.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in _tags(ordered)],
        "paths": paths,
        "components": {
            "examples": {
                error.code: _example(error)
                for error in sorted(
                    {error for one in ordered for error in errors_of(one)},
                    key=lambda error: error.code,
                )
            },
            "schemas": dict(sorted(schemas.get("$defs", {}).items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _tags(ordered: list[Operation]) -> list[str]:
    """The domains in the order a reader wants them: what staff only may call comes last."""
    staff = {
        domain: all(one.access.roles for one in ordered if one.domain == domain)
        for domain in {one.domain for one in ordered}
    }
    return sorted(staff, key=lambda domain: (staff[domain], domain))


def errors_of(operation: Operation) -> list[type[AppError]]:
    """Every error an operation may answer: its own, and those of its access, input and limits."""
    found: set[type[AppError]] = {*operation.errors, errors.Unavailable, errors.InternalError}
    access = operation.access
    if access.signed_in:
        found.add(errors.NotSignedIn)
    if access.verified:
        found.add(errors.NotVerified)
    if access.roles:
        found.add(errors.NotAllowed)
    if operation.rates:
        found.add(errors.TooManyRequests)
    if operation.path_parameters or operation.query or operation.body or operation.moves:
        found.add(errors.ValidationFailed)
    if operation.body or operation.raw:
        found |= {errors.BodyTooLarge, errors.UnsupportedMediaType}
    if operation.body:
        found.add(errors.MalformedBody)
    if operation.moves:
        found |= {errors.IdempotencyKeyRequired, errors.IdempotencyKeyReused}
    if operation.method != "GET":
        found.add(errors.Conflict)
    return sorted(found, key=lambda error: (error.status, error.code))


def answer_of(operation: Operation) -> Any:
    """The schema of an operation's answer, whoever writes its JSON; None for an empty one."""
    declared = operation.answer
    if get_origin(declared) is Json:
        (declared,) = get_args(declared)
    return declared


def _models(operation: Operation) -> list[type[BaseModel]]:
    return [model for model in (operation.body, answer_of(operation)) if model is not None]


def _operation(one: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.domain],
        "summary": one.summary,
        "description": f"{one.description}\n\nWho may call: {_who(one)}.",
        "parameters": [*_path_parameters(one), *_query_parameters(one), *_headers(one)],
        "responses": _responses(one),
    }
    if one.body is not None:
        told["requestBody"] = {"required": True, "content": _content(one.body)}
    elif one.raw:
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    if one.access.optional:
        told["security"] = [{}, {"bearer": []}]
    elif one.access.signed_in:
        told["security"] = [{"bearer": []}]
    else:
        told["security"] = []
    return told


def _who(one: Operation) -> str:
    access = one.access
    if not access.roles:
        return access.name
    return f"staff ({', '.join(access.roles)}) of {access.product or 'all products'}"


def _reference(model: Any) -> dict[str, str]:
    name = model.__name__.replace("[", "_").replace("]", "_")
    return {"$ref": _REF.format(model=name)}


def _content(model: Any) -> dict[str, Any]:
    return {"application/json": {"schema": _reference(model)}}


def _path_parameters(one: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "format": "uuid", "examples": [_EXAMPLE_ID]}
            if kind is UUID
            else adapter(kind).json_schema(),
        }
        for name, kind in one.path_parameters.items()
    ]


def _query_parameters(one: Operation) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    _, schema = models_json_schema([(one.query, "validation")], ref_template=_REF)
    (known,) = (found for name, found in schema["$defs"].items() if name == one.query.__name__)
    required = known.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            **({"description": field["description"]} if "description" in field else {}),
            "schema": _without_null(field),
        }
        for name, field in known["properties"].items()
    ]


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """A query parameter is left out rather than null."""
    kept = {name: value for name, value in field.items() if name not in {"title", "description"}}
    options = kept.pop("anyOf", None)
    if options:
        (only,) = (option for option in options if option.get("type") != "null")
        kept = {**kept, **only}
    if kept.get("default", 0) is None:
        del kept["default"]
    return kept


def _headers(one: Operation) -> list[dict[str, Any]]:
    if not one.moves:
        return []
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "Names this attempt; a repetition gets the first one's answer.",
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": 255,
                "pattern": "^[\\x21-\\x7e]+$",
                "examples": ["3f0c2a4e-attempt-1"],
            },
        }
    ]


def _responses(one: Operation) -> dict[str, Any]:
    success: dict[str, Any] = {"description": HTTPStatus(one.status).phrase}
    answer = answer_of(one)
    if answer is not None:
        success["content"] = _content(answer)
    by_status: dict[int, list[type[AppError]]] = {}
    for error in errors_of(one):
        by_status.setdefault(error.status, []).append(error)
    return {
        str(one.status): success,
        **{str(status): _problem(found) for status, found in sorted(by_status.items())},
    }


def _problem(found: list[type[AppError]]) -> dict[str, Any]:
    examples = {error.code: {"$ref": f"#/components/examples/{error.code}"} for error in found}
    return {
        "description": "; ".join(error.title for error in found),
        "content": {
            "application/problem+json": {"schema": _reference(Problem), "examples": examples}
        },
    }


def _example(error: type[AppError]) -> dict[str, Any]:
    """A problem as it is answered."""
    value = {
        "type": f"urn:kith:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.title,
        "errors": [],
        "request_id": _EXAMPLE_ID,
    }
    return {"summary": error.title, "value": value}
