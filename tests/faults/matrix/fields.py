"""A request says what was declared, and not a word more."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from chalicelib import registry
from chalicelib.core.operations import Operation
from tests.faults.described import scene as scenes
from tests.faults.described.scene import Call
from tests.faults.matrix.board import Board, Round, drawn
from tests.faults.matrix.cast import Caller
from tests.faults.proof import Findings
from tests.faults.world import World
from tests.support.api import Answer

FIRST = ("accounts_profile_change", "marketplace_posts_change")
# What programs elsewhere take, besides what our columns are called.
_ELSEWHERE = ("is_admin", "admin", "roles", "permissions", "owner", "caller", "__class__", "$set")


def run(world: World, tries: int, findings: Findings) -> None:
    """Every body and every query, with each column's name that is not declared for it."""
    board = Board(world, findings, ())
    some = [one for one in scenes.every().values() if one.registered.body or one.registered.query]
    for one in board.rounds(drawn(some, tries, *FIRST)):
        rightful = one.call.by
        caller = Caller("the rightful caller", rightful.api) if rightful else one.board.cast.nobody
        calls = [*(_asked(one) if one.operation.query else ())]
        if one.operation.body is not None:
            for where, part in _objects(one.call.body):
                calls += _put(one, where, part)
        with one.nothing_changes():
            one.hold(caller, calls, _names_it)
        one.control()
    board.end()


@cache
def column_names() -> tuple[str, ...]:
    """What columns are called, anywhere."""
    tables = registry.tables().sorted_tables
    return tuple(sorted({one.name for table in tables for one in table.c} | set(_ELSEWHERE)))


def _objects(body: Any, where: str = "body") -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a body: itself, and those within."""
    if isinstance(body, dict):
        yield where, body
        for name, part in body.items():
            yield from _objects(part, f"{where}.{name}")


def _put(one: Round, where: str, part: dict[str, Any]) -> Iterator[tuple[str, Call]]:
    path = where.split(".")[1:]
    for name in set(column_names()) - _declared(one.operation, where):
        body = _with(one.call.body, path, name, _value(part))
        yield f"{where}.{name}", replace(one.call, body=body)


def _with(body: dict[str, Any], path: list[str], name: str, value: Any) -> dict[str, Any]:
    """A body with one more field, in the object at `path`."""
    if not path:
        return body | {name: value}
    return body | {path[0]: _with(body[path[0]], path[1:], name, value)}


def _value(part: dict[str, Any]) -> Any:
    """Something that the object holds already, so that only the name is new."""
    return next(iter(part.values()), True)


def _declared(operation: Operation, where: str) -> set[str]:
    """The fields of the object at `where`, as the schema says."""
    schema: dict[str, Any] = operation.body.model_json_schema()  # type: ignore[union-attr]
    found = schema
    for name in where.split(".")[1:]:
        found = _resolved(schema, found["properties"][name])
    return set(found.get("properties", {}))


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    for one in (part, *part.get("anyOf", [])):
        if "$ref" in one:
            found: dict[str, Any] = schema["$defs"][one["$ref"].rpartition("/")[2]]
            return found
    return part


def _asked(one: Round) -> Iterator[tuple[str, Call]]:
    declared = set(getattr(one.operation.query, "model_fields", {}))
    for name in set(column_names()) - declared:
        query = dict(one.call.query) | {name: "1"}
        yield f"query.{name}", replace(one.call, query=query)


def _names_it(answer: Answer, variant: str) -> str | None:
    """The refusal names the field."""
    if answer.status != 400 or answer.code != "validation_failed":
        return f"answered {answer.status}"
    named = [problem["field"] for problem in answer.json["errors"]]
    return None if variant in named else f"named {named}"
