"""What every answer looks like, whoever made it, and the one line each request leaves behind."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from chalice.app import Blueprint, Chalice

from chalicelib.core import http as edge
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import (
    AppError,
    BodyTooLarge,
    Conflict,
    FieldProblem,
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
    MalformedBody,
    NotAllowed,
    NotFound,
    NotSignedIn,
    NotVerified,
    TooManyRequests,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Anonymous, Rate, User
from chalicelib.core.paging import PageQuery
from chalicelib.core.schemas import Schema
from chalicelib.core.statements import Json
from tests.support import logs
from tests.support.api import Answer, Api
from tests.support.notes import sql
from tests.support.people import Person
from tests.support.program import program_of

PLENTY = (Rate(10_000, 60),)
ERRORS: list[AppError] = [
    ValidationFailed(problems=(FieldProblem("body.name", "missing", "Field required"),)),
    MalformedBody("not JSON at line 1, column 1"),
    IdempotencyKeyRequired(),
    NotSignedIn(),
    NotAllowed(),
    NotVerified(),
    NotFound("there is no such thing"),
    Conflict(),
    BodyTooLarge(),
    UnsupportedMediaType(),
    IdempotencyKeyReused(),
    TooManyRequests(retry_after=7),
    Unavailable(retry_after=3),
]
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Request-Id,Retry-After,Idempotent-Replayed",
}


class Thing(Schema):
    name: str
    secret: str = ""


def define(blueprint: Blueprint) -> None:
    """Endpoints of every kind."""

    @endpoint(blueprint, "POST", "/v1/tests/things", caller=Anonymous, status=201, rates=PLENTY)
    def create(db: Connection, body: Thing) -> Thing:
        """Give back what came."""
        return body

    @endpoint(blueprint, "GET", "/v1/tests/things", caller=Anonymous, rates=PLENTY)
    def find(db: Connection, query: PageQuery) -> Thing:
        """Tell the limit."""
        return Thing(name=str(query.limit))

    @endpoint(blueprint, "GET", "/v1/tests/things/{thing_id}", caller=User)
    def get(db: Connection, caller: Caller, thing_id: UUID) -> Json[Thing]:
        """Have PostgreSQL write the answer."""
        found = db.json(sql("""select '{"name": "written"}' as answer""", "answer"))
        assert found is not None
        return found

    @endpoint(blueprint, "DELETE", "/v1/tests/things", caller=Anonymous, status=204, rates=PLENTY)
    def delete(db: Connection) -> None:
        """Answer with nothing."""

    @endpoint(blueprint, "POST", "/v1/tests/errors/{number}", caller=Anonymous, rates=PLENTY)
    def refuse(db: Connection, number: int) -> Thing:
        """Refuse."""
        raise ERRORS[number]

    @endpoint(blueprint, "POST", "/v1/tests/bugs/{kind}", caller=Anonymous, rates=PLENTY)
    def crash(db: Connection, kind: str) -> Thing:
        """Have a bug."""
        if kind == "sql":
            db.one(sql("select * from nowhere"))
        if kind == "answer":
            return {"name": "canary"}  # type: ignore[return-value]
        if kind == "lie":
            return Json('{"name": 7}')  # type: ignore[return-value]
        try:
            raise LookupError("canary@kith.example")
        except LookupError as error:
            raise RuntimeError("canary@kith.example") from error

    @endpoint(blueprint, "POST", "/v1/tests/calls", caller=User)
    def call(transactions: Transactions, caller: Caller, body: Thing) -> Thing:
        """Talk to a provider, and to no database."""
        return body


@pytest.fixture(scope="module")
def program(app: Chalice) -> Iterator[Chalice]:
    """An app with those endpoints."""
    with program_of(define) as built:
        yield built


@pytest.fixture
def client(program: Chalice, api: Api) -> Api:
    """A client of it."""
    return Api(program)


def is_problem(answer: Answer, status: int, code: str) -> bool:
    """Whether an answer is a problem in the form that all of them have."""
    told = answer.json
    return (
        answer.status == told["status"] == status
        and answer.headers["Content-Type"] == "application/problem+json"
        and told["code"] == code
        and told["type"] == f"urn:kith:problem:{code}"
        and set(told) == {"type", "title", "status", "code", "detail", "errors", "request_id"}
        and told["request_id"] == answer.headers["Request-Id"]
        and answer.headers.items() >= SECURITY_HEADERS.items()
    )


def test_a_success_is_json_under_the_headers_of_all(client: Api) -> None:
    answer = client.post("/v1/tests/things", {"name": "São"})
    assert (answer.status, answer.json) == (201, {"name": "São", "secret": ""})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers.items() >= SECURITY_HEADERS.items()
    assert UUID(answer.headers["Request-Id"])


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
    client: Api, program: Chalice, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = client._event("GET", f"/v1/tests/things/{UUID(int=1)}", {}, None)
    answer = program(event | {"pathParameters": {}}, None)
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"])["code"] == "internal_error"
    event = client._event("POST", "/v1/tests/things", {"content-type": "application/json"}, b"{}")
    for body in ("é", "a", "\ud800"):
        answer = program(event | {"body": body}, None)
        assert answer["statusCode"] == 400, answer
    answer = program(event | {"body": "\ud800", "isBase64Encoded": False}, None)
    assert answer["statusCode"] == 400


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


@pytest.mark.parametrize("kind", ["sql", "answer", "lie", "python"])
def test_a_bug_is_a_500_with_its_id_and_nothing_else(
    client: Api, log_lines: Path, kind: str
) -> None:
    answer = client.post(f"/v1/tests/bugs/{kind}")
    assert is_problem(answer, 500, "internal_error")
    assert answer.json["detail"] == answer.json["title"]
    assert not re.search("Traceback|canary|nowhere|Error", answer.text)
    line = logs.last_request(log_lines)
    assert line["request_id"] == answer.headers["Request-Id"]
    assert (line["status"], line["code"]) == (500, "internal_error")
    assert any("test_http.py" in place for place in line["error"]) or kind in {"answer", "lie"}
    assert "canary" not in log_lines.read_text()


def test_a_bug_in_a_service_of_the_program_is_one_too(
    api: Api, ana: Person, monkeypatch: pytest.MonkeyPatch, log_lines: Path
) -> None:
    def bug(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("canary@kith.example")

    monkeypatch.setattr("chalicelib.kernel.accounts.service.me", bug)
    answer = ana.api.get("/v1/me")
    assert is_problem(answer, 500, "internal_error")
    assert "canary" not in answer.text + log_lines.read_text()
    assert logs.last_request(log_lines)["error"][0] == "builtins.ZeroDivisionError"


def test_a_bug_of_the_edge_itself_is_one_too(
    client: Api, monkeypatch: pytest.MonkeyPatch, log_lines: Path
) -> None:
    def bug(*_: Any) -> Any:
        raise ZeroDivisionError("canary@kith.example")

    monkeypatch.setattr(edge, "_answer", bug)
    answer = client.post("/v1/tests/things", {"name": "x"})
    assert is_problem(answer, 500, "internal_error")
    assert "canary" not in answer.text


def test_a_call_that_asks_no_database_is_checked_all_the_same(
    client: Api, ana: Person, program: Chalice
) -> None:
    mine = Api(program, token=ana.api.token)
    assert mine.post("/v1/tests/calls", {"name": "x"}).status == 200
    assert ana.api.delete("/v1/auth/sessions/current").status == 204
    assert is_problem(mine.post("/v1/tests/calls", {"name": "x"}), 401, "not_signed_in")


def test_one_line_tells_of_a_request_what_may_be_told(client: Api, log_lines: Path) -> None:
    answer = client.post("/v1/tests/things", {"name": "x"})
    (line,) = logs.lines(log_lines, "request")
    assert set(line) == {
        "at",
        "event",
        "request_id",
        "operation",
        "status",
        "ms",
        "round_trips",
    }
    assert line["operation"] == "core_create"
    assert line["request_id"] == answer.headers["Request-Id"]
    assert (line["status"], line["round_trips"]) == (201, 1)
    assert 0 < line["ms"] < 5000


def test_a_refused_request_leaves_one_line_with_its_code(client: Api, log_lines: Path) -> None:
    client.post("/v1/tests/things", {"name": 7})
    (line,) = logs.lines(log_lines, "request")
    assert (line["status"], line["code"], line["round_trips"]) == (400, "validation_failed", 0)
    assert "error" not in line


def test_no_personal_data_reaches_the_log(
    client: Api, api: Api, ana: Person, log_lines: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    canaries = {
        "email": "canary.mail@kith.example",
        "password": "canary-password-7x",
        "name": "Canary Name",
        "token": "canary_token_123456789012345678901234567890",
        "contact": "canary-contact",
        "address": "203.0.113.77",
    }
    account = {name: canaries[name] for name in ("email", "password", "name")}
    elsewhere = Api(api.app, address=canaries["address"])
    elsewhere.post("/v1/auth/sign_ups", account)
    elsewhere.post("/v1/auth/sign_ups", account | {"contact": canaries["contact"]})
    elsewhere.post("/v1/auth/sessions", {**account, "name": canaries["name"]})
    elsewhere.post("/v1/auth/sessions", {one: account[one] for one in ("email", "password")})
    elsewhere.post("/v1/auth/verifications", {"token": canaries["token"]})
    elsewhere.post("/v1/auth/sessions/refresh", {"refresh_token": canaries["token"]})
    elsewhere.get("/v1/me", headers={"authorization": f"Bearer {canaries['token']}"})
    ana.api.get(f"/v1/billing/payments?cursor={canaries['token']}&{canaries['contact']}=1")
    ana.api.get(f"/v1/billing/checkouts/{canaries['contact']}")
    ana.api.get("/v1/me", headers={"user-agent": canaries["contact"], "x-forwarded-for": "canary"})
    client.post("/v1/tests/bugs/python", headers={"idempotency-key": canaries["contact"]})
    written = log_lines.read_text() + "".join(capfd.readouterr())
    assert written.count('"event":"request"') >= 11
    assert "canary" not in written.lower()
    assert not any(canary in written for canary in canaries.values())
    assert str(ana.api.token) not in written
    assert ana.email not in written
