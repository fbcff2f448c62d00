"""A program that answers in every way an endpoint can, and the form its problems have."""

from typing import Any
from uuid import UUID

from chalice.app import Blueprint

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
from tests.support.api import Answer, Api
from tests.support.notes import sql

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
    """What goes in and comes out."""

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
        raise RuntimeError("canary@kith.example") from LookupError("canary@kith.example")

    @endpoint(blueprint, "POST", "/v1/tests/calls", caller=User)
    def call(transactions: Transactions, caller: Caller, body: Thing) -> Thing:
        """Talk to a provider, and to no database."""
        return body


def event_of(client: Api, method: str, path: str, raw: bytes | None = None) -> dict[str, Any]:
    """What API Gateway would hand over."""
    return client._event(method, path, {"content-type": "application/json"}, raw)  # noqa: SLF001


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
