"""What OpenAPI 3.1 asks of a document, as far as ours goes: fixed fields, references, uniqueness."""

import re
from collections.abc import Iterator
from typing import Any

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
FIELDS = {
    "document": {
        "openapi",
        "info",
        "jsonSchemaDialect",
        "servers",
        "paths",
        "webhooks",
        "components",
        "security",
        "tags",
        "externalDocs",
    },
    "info": {"title", "summary", "description", "termsOfService", "contact", "license", "version"},
    "operation": {
        "tags",
        "summary",
        "description",
        "externalDocs",
        "operationId",
        "parameters",
        "requestBody",
        "responses",
        "callbacks",
        "deprecated",
        "security",
        "servers",
    },
    "parameter": {
        "name",
        "in",
        "description",
        "required",
        "deprecated",
        "allowEmptyValue",
        "style",
        "explode",
        "allowReserved",
        "schema",
        "example",
        "examples",
        "content",
    },
    "body": {"description", "content", "required"},
    "media": {"schema", "example", "examples", "encoding"},
    "response": {"description", "headers", "content", "links"},
    "example": {"summary", "description", "value", "externalValue"},
    "components": {
        "schemas",
        "responses",
        "parameters",
        "examples",
        "requestBodies",
        "headers",
        "securitySchemes",
        "links",
        "callbacks",
        "pathItems",
    },
}
SCHEMA_TYPES = {"null", "boolean", "object", "array", "number", "string", "integer"}


def faults(document: Any) -> list[str]:
    """What is wrong with a document, each with where it is."""
    return list(_document(document))


def operations(document: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation with its path and method."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _fields(kind: str, told: dict[str, Any], where: str, *needed: str) -> Iterator[str]:
    yield from (f"{where}: {name} is no field of a {kind}" for name in told.keys() - FIELDS[kind])
    yield from (f"{where}: {name} is missing" for name in needed if name not in told)


def _document(document: dict[str, Any]) -> Iterator[str]:
    yield from _fields("document", document, "document", "openapi", "info", "paths")
    yield from _fields("info", document["info"], "info", "title", "version")
    yield from _fields("components", document["components"], "components")
    if not re.fullmatch(r"3\.1\.\d+", document["openapi"]):
        yield "the version is not 3.1"
    names = [one["operationId"] for _, _, one in operations(document)]
    yield from (f"{name} names two operations" for name in set(names) if names.count(name) > 1)
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        if not path.startswith("/") or method not in METHODS:
            yield f"{where} is no path or method"
        yield from _operation(operation, path, where, document)
    for name, schema in document["components"]["schemas"].items():
        if not re.fullmatch(r"[\w.-]+", name):
            yield f"{name} is no name of a component"
        yield from _schema(schema, f"schema {name}", document)


def _operation(
    operation: dict[str, Any], path: str, where: str, document: dict[str, Any]
) -> Iterator[str]:
    yield from _fields("operation", operation, where, "responses", "operationId")
    parameters = operation.get("parameters", [])
    for one in parameters:
        yield from _parameter(one, f"{where} {one.get('name')}", document)
    named = [(one["in"], one["name"]) for one in parameters]
    if len(set(named)) < len(named):
        yield f"{where}: a parameter stands twice"
    if {name for place, name in named if place == "path"} != set(re.findall(r"{(\w+)}", path)):
        yield f"{where}: the path's parameters are others"
    if "requestBody" in operation:
        yield from _fields("body", operation["requestBody"], where, "content")
        yield from _content(operation["requestBody"]["content"], where, document)
    for status, response in operation["responses"].items():
        if not re.fullmatch(r"[1-5]\d\d", status):
            yield f"{where}: {status} is no status"
        yield from _fields("response", response, f"{where} {status}", "description")
        yield from _content(response.get("content", {}), f"{where} {status}", document)
    schemes = document["components"].get("securitySchemes", {})
    for wanted in operation.get("security", []):
        yield from (f"{where}: {name} is no scheme" for name in wanted.keys() - schemes.keys())


def _parameter(one: dict[str, Any], where: str, document: dict[str, Any]) -> Iterator[str]:
    yield from _fields("parameter", one, where, "name", "in")
    if one["in"] not in {"query", "header", "path", "cookie"}:
        yield f"{where}: {one['in']} is no place"
    if one["in"] == "path" and one.get("required") is not True:
        yield f"{where}: what stands in the path is required"
    if ("schema" in one) == ("content" in one):
        yield f"{where}: either schema or content"
    yield from _schema(one.get("schema", {}), where, document)


def _content(content: dict[str, Any], where: str, document: dict[str, Any]) -> Iterator[str]:
    for kind, media in content.items():
        if not re.fullmatch(r"[\w.+-]+/[\w.+*-]+", kind):
            yield f"{where}: {kind} is no media type"
        yield from _fields("media", media, where)
        yield from _schema(media.get("schema", {}), where, document)
        for example in media.get("examples", {}).values():
            if "$ref" not in example:
                yield from _fields("example", example, where, "value")
            elif not _resolves(example["$ref"], document):
                yield f"{where}: {example['$ref']} leads nowhere"


def _schema(schema: Any, where: str, document: dict[str, Any]) -> Iterator[str]:
    if isinstance(schema, list):
        for one in schema:
            yield from _schema(one, where, document)
    if not isinstance(schema, dict):
        return
    if "$ref" in schema and not _resolves(schema["$ref"], document):
        yield f"{where}: {schema['$ref']} leads nowhere"
    kind = schema.get("type")
    if isinstance(kind, str) and kind not in SCHEMA_TYPES:
        yield f"{where}: {kind} is no type"
    if "nullable" in schema:
        yield f"{where}: nullable is of 3.0"
    if "example" in schema and "type" in schema:
        yield f"{where}: example is of 3.0"
    known = schema.get("properties", {})
    if isinstance(known, dict):
        yield from (
            f"{where}: {name} is required and unknown"
            for name in schema.get("required", [])
            if isinstance(name, str) and known and name not in known
        )
    for name, value in schema.items():
        if name not in {"examples", "default", "const", "enum"}:
            yield from _schema(value, where, document)


def _resolves(reference: str, document: Any) -> bool:
    found = document
    for step in reference.removeprefix("#/").split("/"):
        if not isinstance(found, dict) or step not in found:
            return False
        found = found[step]
    return reference.startswith("#/")


def _lost_reference(told: Any) -> None:
    del told["components"]["schemas"]["Problem"]


def _twice(told: Any) -> None:
    for _, _, operation in operations(told):
        operation["operationId"] = "same"


def _no_path_parameter(told: Any) -> None:
    told["paths"]["/v1/tests/things/{thing_id}"]["get"]["parameters"] = []


def _made_up_field(told: Any) -> None:
    told["paths"]["/v1/tests/raw"]["post"]["body"] = {}


def _no_description(told: Any) -> None:
    del told["paths"]["/v1/tests/raw"]["post"]["responses"]["200"]["description"]


def _unknown_scheme(told: Any) -> None:
    told["paths"]["/v1/tests/raw"]["post"]["security"] = [{"cookie": []}]


SPOILERS = (
    _lost_reference,
    _twice,
    _no_path_parameter,
    _made_up_field,
    _no_description,
    _unknown_scheme,
)
"""Ways to make the document of the test's own operations invalid."""
