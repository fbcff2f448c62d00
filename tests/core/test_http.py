"""What every answer looks like, whoever made it, and the one line each request leaves behind."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from chalice.app import Chalice

from tests.support import logs
from tests.support.api import Api
from tests.support.edge import ERRORS, SECURITY_HEADERS, define, event_of, is_problem
from tests.support.people import Person
from tests.support.program import program_of


@pytest.fixture(scope="module")
def program(app: Chalice) -> Iterator[Chalice]:
    """An app with those endpoints."""
    with program_of(define) as built:
        yield built


@pytest.fixture
def client(program: Chalice, api: Api) -> Api:
    """A client of it."""
    return Api(program)


def test_a_success_is_json_under_the_headers_of_all(client: Api) -> None:
    answer = client.post("/v1/tests/things", {"name": "São"})
    assert (answer.status, answer.json) == (201, {"name": "São", "secret": ""})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers.items() >= SECURITY_HEADERS.items()
    assert UUID(answer.headers["Request-Id"]).version == 4


def test_an_answer_without_a_body_has_no_content_type(client: Api) -> None:
    answer = client.delete("/v1/tests/things")
    assert (answer.status, answer.text) == (204, "")
    assert "Content-Type" not in answer.headers
    assert answer.headers.items() >= SECURITY_HEADERS.items()


@pytest.mark.parametrize("number", range(len(ERRORS)), ids=[type(one).__name__ for one in ERRORS])
def test_every_error_is_a_problem(client: Api, number: int) -> None:
    error = ERRORS[number]
    answer = client.post(f"/v1/tests/errors/{number}")
    assert is_problem(answer, error.status, error.code)
    assert answer.json["title"] == error.title
    assert answer.json["detail"] == error.detail
    assert answer.json["errors"] == [
        dict(zip(("field", "code", "detail"), one, strict=True)) for one in error.problems
    ]
    assert answer.headers.get("Retry-After") == (
        str(error.retry_after) if error.retry_after else None
    )
    assert answer.headers.get("WWW-Authenticate") == ("Bearer" if error.status == 401 else None)


def test_a_path_that_does_not_exist_is_a_problem(client: Api) -> None:
    for path in ("/v1/tests/nothing", "/", "/v1/tests/things/"):
        assert is_problem(client.get(path), 404, "not_found")


def test_a_method_that_does_not_exist_is_a_problem_and_the_others_are_named(client: Api) -> None:
    answer = client.put("/v1/tests/things", {})
    assert is_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST", "DELETE"}


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "text/html"])
def test_a_body_of_another_kind_is_a_problem(client: Api, content_type: str) -> None:
    answer = client.post("/v1/tests/things", {"name": "x"}, headers={"content-type": content_type})
    assert is_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/JSON", "application/json; charset=utf-8"])
def test_a_body_may_be_called_json_in_several_ways(client: Api, content_type: str) -> None:
    headers = {"content-type": content_type}
    assert client.post("/v1/tests/things", {"name": "x"}, headers=headers).status == 201


def test_a_body_that_passes_the_framework_only_is_a_problem_too(client: Api) -> None:
    for content_type in ("text/html, application/json", "*/*"):
        headers = {"content-type": content_type}
        answer = client.post("/v1/tests/things", {"name": "x"}, headers=headers)
        assert is_problem(answer, 415, "unsupported_media_type")


def test_a_body_that_is_missing_is_a_problem(client: Api) -> None:
    assert is_problem(client.post("/v1/tests/things"), 400, "malformed_body")


def test_a_body_may_come_as_text(client: Api) -> None:
    raw = json.dumps({"name": "São"}, ensure_ascii=False).encode()
    answer = client.call("POST", "/v1/tests/things", raw=raw, plain=True)
    assert answer.json["name"] == "São"


def test_an_event_that_api_gateway_would_never_send_is_a_problem_too(
    client: Api, program: Chalice, log_lines: Path
) -> None:
    event = event_of(client, "GET", f"/v1/tests/things/{UUID(int=1)}")
    answer = program(event | {"pathParameters": {}}, None)
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"])["code"] == "internal_error"
    assert logs.lines(log_lines, "request_failed")[0]["error"]
    event = event_of(client, "POST", "/v1/tests/things", b"{}")
    for body in ("é", "a", "\ud800"):
        answer = program(event | {"body": body}, None)
        assert answer["statusCode"] == 400, answer
    answer = program(event | {"body": "\ud800", "isBase64Encoded": False}, None)
    assert answer["statusCode"] == 400


def test_an_event_without_an_id_gets_one_of_ours(client: Api, program: Chalice) -> None:
    for path, status in (("/v1/tests/things", 200), ("/v1/tests/nothing", 404)):
        event = event_of(client, "GET", path)
        del event["requestContext"]["requestId"]
        answer = program(event, None)
        assert answer["statusCode"] == status
        assert UUID(answer["headers"]["Request-Id"]).version == 7


def test_every_poisonous_body_is_refused_and_the_next_caller_gets_their_own(
    client: Api, ana: Person, program: Chalice
) -> None:
    mine = Api(program, token=ana.api.token)
    for raw in (
        b'{"name": "\\ud800"}',
        b'{"name": "\\u0000"}',
        b"[" * 100_000,
        b'{"name": NaN}',
        b'{"name": "x", "name": "y"}',
        b'\xef\xbb\xbf{"name": "x"}',
        b'{"name": "\xff"}',
    ):
        assert client.call("POST", "/v1/tests/things", raw=raw).status in {400, 413}
        assert mine.get(f"/v1/tests/things/{UUID(int=7)}").json == {"name": "written"}


def test_a_call_that_asks_no_database_is_checked_all_the_same(
    client: Api, ana: Person, program: Chalice
) -> None:
    mine = Api(program, token=ana.api.token)
    assert mine.post("/v1/tests/calls", {"name": "x"}).status == 200
    assert ana.api.delete("/v1/auth/sessions/current").status == 204
    assert is_problem(mine.post("/v1/tests/calls", {"name": "x"}), 401, "not_signed_in")
