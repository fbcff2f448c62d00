"""The OpenAPI document: valid, complete, the same for the same handlers, and committed."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from chalice.app import Blueprint, Chalice
from pydantic import Field, ValidationError, create_model

from chalicelib.core import openapi, operations
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import AppError, NotFound
from chalicelib.core.http import RawRequest, endpoint
from chalicelib.core.openapi import Problem, document, errors_of
from chalicelib.core.operations import Anonymous, Operation, Optional, Rate, Staff, User, Verified
from chalicelib.core.paging import Page, PageQuery
from chalicelib.core.schemas import Schema
from chalicelib.core.statements import Json
from tests.support.openapi import SPOILERS, faults
from tests.support.openapi import operations as operations_of
from tests.support.program import program_of

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


class Thing(Schema):
    """What is listed."""

    id: UUID
    name: Annotated[str, Field(max_length=20, examples=["chair"])]


class ThingQuery(PageQuery):
    """Which things."""

    kind: Literal["open", "done"] | None = Field(None, description="Which ones.")
    tag: list[str] | None = None
    product: str


def define(blueprint: Blueprint) -> None:
    """Operations of every kind."""

    @endpoint(blueprint, "GET", "/v1/tests/things", caller=Anonymous)
    def find(db: Connection, query: ThingQuery) -> Json[Page[Thing]]:
        """Find things.

        By kind, by tag.
        """
        raise NotFound

    @endpoint(blueprint, "GET", "/v1/tests/things/{thing_id}", caller=Optional, errors=(NotFound,))
    def get(db: Connection, caller: Caller | None, thing_id: UUID) -> Json[Thing]:
        """Look at a thing."""
        raise NotFound

    @endpoint(
        blueprint,
        "POST",
        "/v1/tests/things/{thing_id}",
        caller=Verified,
        status=201,
        moves=True,
        rates=(Rate(1, 60, by="caller"),),
    )
    def put(db: Connection, caller: Caller, thing_id: UUID, body: Thing) -> Thing:
        """Move a thing."""
        return body

    @endpoint(
        blueprint, "DELETE", "/v1/tests/{product}/things", caller=Staff("moderator"), status=204
    )
    def delete(
        db: Connection, caller: Caller, product: Annotated[str, Field(pattern="^[a-z]+$")]
    ) -> None:
        """Delete them all."""

    @endpoint(blueprint, "POST", "/v1/tests/raw", caller=User)
    def take(db: Connection, caller: Caller, raw: RawRequest) -> Thing:
        """Take the bytes."""
        raise NotFound


@pytest.fixture(scope="module")
def every(app: Chalice) -> list[Operation]:
    """The program's operations."""
    known = operations.registered.values()
    return [one for one in known if one.function.__module__.startswith("chalicelib.")]


@pytest.fixture(scope="module")
def whole(every: list[Operation]) -> Any:
    """The program's document."""
    return json.loads(json.dumps(document(every)))


@pytest.fixture(scope="module")
def ours(app: Chalice) -> Iterator[Any]:
    """The document of the operations above."""
    with program_of(define):
        made = [one for one in operations.registered.values() if "/v1/tests/" in one.path]
        yield json.loads(json.dumps(document(made)))


def test_the_document_is_valid(whole: Any, ours: Any) -> None:
    assert faults(whole) == []
    assert faults(ours) == []


@pytest.mark.parametrize("spoil", SPOILERS)
def test_an_invalid_document_would_be_noticed(ours: Any, spoil: Callable[[Any], None]) -> None:
    spoilt = copy.deepcopy(ours)
    spoil(spoilt)
    assert faults(spoilt) != []


def test_the_same_handlers_give_the_same_document(every: list[Operation]) -> None:
    shuffled = list(every)
    random.Random(1).shuffle(shuffled)
    assert json.dumps(document(shuffled)) == json.dumps(document(every))


def test_every_operation_is_in_it(every: list[Operation], whole: Any) -> None:
    assert {(one.path, one.method.lower(), one.name) for one in every} == {
        (path, method, one["operationId"]) for path, method, one in operations_of(whole)
    }


def test_every_operation_says_what_it_is_and_who_may_call(whole: Any) -> None:
    for path, method, operation in operations_of(whole):
        assert operation["summary"].endswith((".", "`")), f"{method} {path}"
        assert operation["description"].startswith(operation["summary"])
        assert "Who may call: " in operation["description"]


def test_every_error_of_every_operation_is_there_with_its_example(
    every: list[Operation], whole: Any
) -> None:
    for one in every:
        responses = whole["paths"][one.path][one.method.lower()]["responses"]
        found = {
            (int(status), code)
            for status, response in responses.items()
            for code in response.get("content", {})
            .get("application/problem+json", {})
            .get("examples", {})
        }
        assert found == {(error.status, error.code) for error in errors_of(one)}
        assert str(one.status) in responses
        assert {"500", "503"} <= responses.keys()


def test_examples_of_problems_are_problems(whole: Any) -> None:
    for _, _, operation in operations_of(whole):
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                for code in media.get("examples", {}):
                    example = whole["components"]["examples"][code]
                    told = Problem.model_validate(example["value"])
                    assert (told.code, told.status) == (code, int(status))
                    assert AppError.known[code].title == told.title


def test_an_example_of_a_field_is_one_its_schema_takes(every: list[Operation]) -> None:
    wrong = []
    for one in every:
        for model in filter(None, (one.body, one.query, openapi.answer_of(one))):
            for name, field in model.model_fields.items():
                kinds: dict[str, Any] = {name: (field.annotation, field)}
                alone = create_model("Alone", __base__=Schema, **kinds)
                for example in field.examples or ():
                    try:
                        alone.model_validate_json(json.dumps({name: example}))
                    except ValidationError:
                        wrong.append(f"{model.__name__}.{name}: {example}")
    assert sorted(set(wrong)) == []


def errors(told: Any, path: str, method: str) -> dict[str, list[str]]:
    """The codes of an operation's problems, by status."""
    return {
        status: sorted(response["content"]["application/problem+json"]["examples"])
        for status, response in told["paths"][path][method]["responses"].items()
        if "application/problem+json" in response.get("content", {})
    }


def test_what_an_operation_may_answer_follows_from_what_it_is(ours: Any) -> None:
    always = {"500": ["internal_error"], "503": ["unavailable"]}
    anonymous = {"429": ["too_many_requests"]}
    assert errors(ours, "/v1/tests/things", "get") == always | anonymous | {
        "400": ["validation_failed"]
    }
    assert errors(ours, "/v1/tests/things/{thing_id}", "get") == always | {
        "400": ["validation_failed"],
        "401": ["not_signed_in"],
        "404": ["not_found"],
    }
    assert errors(ours, "/v1/tests/things/{thing_id}", "post") == always | anonymous | {
        "400": ["idempotency_key_required", "malformed_body", "validation_failed"],
        "401": ["not_signed_in"],
        "403": ["not_verified"],
        "409": ["conflict"],
        "413": ["body_too_large"],
        "415": ["unsupported_media_type"],
        "422": ["idempotency_key_reused"],
    }
    assert errors(ours, "/v1/tests/{product}/things", "delete")["403"] == [
        "not_allowed",
        "not_verified",
    ]
    assert {"413", "415"} <= errors(ours, "/v1/tests/raw", "post").keys()


def test_parameters_are_described(ours: Any) -> None:
    found = {one["name"]: one for one in ours["paths"]["/v1/tests/things"]["get"]["parameters"]}
    assert found["limit"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 50,
        "default": 20,
        "examples": [20],
    }
    assert found["kind"] == {
        "name": "kind",
        "in": "query",
        "required": False,
        "description": "Which ones.",
        "schema": {"type": "string", "enum": ["open", "done"]},
    }
    assert found["tag"]["schema"] == {"type": "array", "items": {"type": "string"}}
    assert found["product"]["required"] is True
    operation = ours["paths"]["/v1/tests/things/{thing_id}"]["post"]
    names = [(one["in"], one["name"], one["required"]) for one in operation["parameters"]]
    assert names == [("path", "thing_id", True), ("header", "Idempotency-Key", True)]
    assert operation["parameters"][0]["schema"]["format"] == "uuid"
    (product,) = ours["paths"]["/v1/tests/{product}/things"]["delete"]["parameters"]
    assert product["schema"] == {"type": "string", "pattern": "^[a-z]+$"}


def test_security_says_who_may_call(ours: Any) -> None:
    told = {
        f"{method} {path}": (one["security"], one["description"].rpartition("Who may call: ")[2])
        for path, method, one in operations_of(ours)
    }
    assert told == {
        "get /v1/tests/things": ([], "anonymous."),
        "get /v1/tests/things/{thing_id}": ([{}, {"bearer": []}], "optional."),
        "post /v1/tests/things/{thing_id}": ([{"bearer": []}], "verified."),
        "delete /v1/tests/{product}/things": (
            [{"bearer": []}],
            "staff (moderator, admin) of all products.",
        ),
        "post /v1/tests/raw": ([{"bearer": []}], "user."),
    }


def test_answers_have_their_schema_and_an_empty_one_has_none(ours: Any) -> None:
    listed = ours["paths"]["/v1/tests/things"]["get"]["responses"]["200"]
    assert listed["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Page_Thing_"
    }
    deleted = ours["paths"]["/v1/tests/{product}/things"]["delete"]["responses"]["204"]
    assert deleted == {"description": HTTPStatus.NO_CONTENT.phrase}


def test_the_committed_document_is_current(whole: Any) -> None:
    text = COMMITTED.read_text(encoding="utf-8")
    assert json.loads(text) == whole, "run `make openapi` and commit docs/openapi.json"
    assert text == f"{json.dumps(whole, indent=2, ensure_ascii=False)}\n"
