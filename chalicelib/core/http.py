"""`@endpoint`: a plain function becomes a Lambda that answers HTTPS.

It gives the function a connection, the caller and typed input, owns the transaction, turns what
is raised into a problem, and writes one log line.
"""

import inspect
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from chalice.app import Blueprint, Request, Response

from chalicelib.core import answers, auth, binding, db, ids, limits, log, naming
from chalicelib.core.auth import Caller
from chalicelib.core.config import config
from chalicelib.core.db import Connection, Prelude, Transactions
from chalicelib.core.driver import ConnectionLost
from chalicelib.core.errors import (
    AppError,
    BodyTooLarge,
    InternalError,
    MalformedBody,
    MethodNotAllowed,
    NotFound,
    NotSignedIn,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from chalicelib.core.idempotency import Attempt, Replayed
from chalicelib.core.operations import Access, Kind, Operation, Rate, register
from chalicelib.core.statements import Json

_BY_STATUS: dict[int, type[AppError]] = {
    error.status: error for error in (MethodNotAllowed, UnsupportedMediaType, InternalError)
}

F = TypeVar("F", bound=Callable[..., Any])

# Whoever has no session is told apart by source address; sixty a minute is a busy person.
ANONYMOUS_RATE = Rate(60, 60)


class RawRequest(NamedTuple):
    """A request as it came, for a provider's webhook that signs the bytes."""

    body: bytes
    headers: dict[str, str]


class AttemptKey(str):
    """The Idempotency-Key, for a handler that calls a provider and may have to take up again."""

    __slots__ = ()


def endpoint(
    blueprint: Blueprint,
    method: str,
    path: str,
    *,
    caller: Access,
    status: int = 200,
    moves: bool = False,
    stores_answer: bool = True,
    rates: tuple[Rate, ...] = (),
    errors: tuple[type[AppError], ...] = (),
    kind: Kind | None = None,
    max_body_bytes: int = binding.MAX_BODY_BYTES,
    content_types: tuple[str, ...] = (answers.JSON,),
) -> Callable[[F], F]:
    """Make a function an endpoint of `blueprint`.

    Its parameters say what it is given, by type: Connection, or Transactions where a provider is
    called in between; Caller; a schema named `body` or `query`; AttemptKey; RawRequest; whatever
    else stands in the path. GET reads, anything else writes unless `kind` says so. `moves`: money
    or credits move, so an Idempotency-Key is demanded; `stores_answer=False` has a repeated
    attempt do its (naturally idempotent) work again, because the answer may not be kept.
    """

    def decorate(function: F) -> F:
        if moves and not (caller.signed_in and not caller.optional):
            raise TypeError("whoever moves money is signed in: an attempt needs an owner")
        operation = _operation(
            function,
            method=method,
            path=path,
            access=caller,
            kind=kind,
            status=status,
            moves=moves,
            stores_answer=stores_answer,
            rates=rates or ((ANONYMOUS_RATE,) if not caller.signed_in else ()),
            errors=errors,
            max_body_bytes=max_body_bytes,
        )
        register(operation)

        def view(**path_values: str) -> Response:
            return _answer(operation, function, blueprint.current_request, path_values)

        blueprint.route(
            path,
            methods=[method],
            name=operation.name,
            cors=answers.cors(),
            content_types=list(content_types),
        )(view)
        return function

    return decorate


def _operation(function: Callable[..., Any], *, kind: Kind | None, **told: Any) -> Operation:
    """What the signature of a handler says of it."""
    hints = get_type_hints(function, include_extras=True)
    answer = hints.pop("return")
    names = [name for name in inspect.signature(function).parameters if name in hints]
    in_path = {name: hints[name] for name in names if f"{{{name}}}" in told["path"]}
    kinds = set(hints.values())
    inferred: Kind = "call" if Transactions in kinds else "write"
    if told["method"] == "GET" and inferred == "write":
        inferred = "read"
    return Operation(
        name=naming.name_of(function),
        domain=naming.domain_of(function.__module__),
        kind=kind or inferred,
        function=function,
        path_parameters=in_path,
        query=hints.get("query"),
        body=hints.get("body"),
        raw=RawRequest in kinds,
        answer=None if answer is type(None) else answer,
        **told,
    )


def _answer(
    operation: Operation,
    function: Callable[..., Any],
    request: Request,
    path_values: dict[str, str],
) -> Response:
    started = time.perf_counter()
    request_id = _id_of(request)
    trips, driver = db.session.trips, db.session.driver
    failure: BaseException | None = None
    code: str | None = None
    try:
        response = _succeed(operation, function, request, path_values, request_id)
    except AppError as error:
        response, code = answers.problem(error, request_id), error.code
        failure = error.__cause__ if isinstance(error, InternalError) else None
    except Replayed as replay:
        response = answers.success(replay.status, replay.body, request_id, replayed=True)
    except Exception as error:  # noqa: BLE001  a bug is a 500 in the same form, never a traceback
        response, code = answers.problem(InternalError(), request_id), InternalError.code
        failure = error
    log.line(
        "request",
        request_id=request_id,
        operation=operation.name,
        status=response.status_code,
        code=code,
        ms=round((time.perf_counter() - started) * 1000, 2),
        round_trips=db.session.trips - (trips if driver is db.session.driver else 0),
        error=log.frames(failure) if failure else None,
    )
    return response


def _succeed(
    operation: Operation,
    function: Callable[..., Any],
    request: Request,
    path_values: dict[str, str],
    request_id: str,
) -> Response:
    given = binding.path_of(operation.path_parameters, path_values)
    caller = _caller(operation.access, request)
    body = _body(operation, request)
    if operation.query:
        asked = request.query_params
        given["query"] = binding.query_of(
            operation.query, {name: asked.getlist(name) for name in asked} if asked else {}
        )
    if operation.body:
        content_type = request.headers.get("content-type", "")
        given["body"] = binding.body_of(
            operation.body, body, content_type, operation.max_body_bytes
        )
    if operation.raw:
        if len(body) > operation.max_body_bytes:
            raise BodyTooLarge
        given["raw"] = RawRequest(body, dict(request.headers))
    preludes = [
        limits.prelude(rate, operation.name, _value_of(rate, request, caller, given))
        for rate in operation.rates
    ]
    if caller is not None:
        preludes.append(auth.prelude(caller, operation.access.within(path_values)))
    if operation.access.signed_in:
        given["caller"] = caller
    attempt = _attempt(operation, request, caller, path_values, body)
    if attempt is not None:
        preludes.append(attempt.prelude)
        given["key"] = AttemptKey(attempt.key)
    given = {name: given[name] for name in operation.wanted if name in given}
    if operation.kind == "call":
        text = _call(operation, function, given, attempt, preludes)
    else:
        text = _unit_of_work(operation, function, given, attempt, preludes)
    return answers.success(operation.status, text, request_id)


def _unit_of_work(
    operation: Operation,
    function: Callable[..., Any],
    given: dict[str, Any],
    attempt: Attempt | None,
    preludes: list[Callable[[], Prelude[Any]]],
) -> str:
    def work(unit: Connection) -> str:
        if not operation.access.signed_in:
            # What an anonymous caller asks for may be dear before its first statement.
            unit.settle()
        try:
            answer = function(unit, **given)
        finally:
            # A refusal before the first statement must not stand before "who are you".
            unit.settle()
        text = _checked(operation, answers.text_of(answer), answer)
        if attempt is not None:
            attempt.store(unit, operation.status, text)
        return text

    kind: db.Kind = "read" if operation.kind == "read" else "write"
    return db.run(kind, work, *preludes)


def _call(
    operation: Operation,
    function: Callable[..., Any],
    given: dict[str, Any],
    attempt: Attempt | None,
    preludes: list[Callable[[], Prelude[Any]]],
) -> str:
    transactions = Transactions(*preludes)
    try:
        try:
            answer = function(transactions, **given)
        finally:
            transactions.settle()
    except Replayed:
        raise
    except Exception as error:
        cause = error.__cause__
        if attempt is not None and not (isinstance(cause, ConnectionLost) and cause.silent):
            # A refusal leaves nothing behind; a failure may have, and is taken up again.
            refused = isinstance(error, AppError) and error.status < 500  # noqa: PLR2004  not failed
            with suppress(Unavailable):
                db.write(attempt.release if refused else attempt.abandon)
        raise
    text = _checked(operation, answers.text_of(answer), answer)
    if attempt is not None:
        db.write(attempt.store, operation.status, text)
    return text


def _id_of(request: Request) -> str:
    return str(request.context.get("requestId") or ids.uuid7())


def _caller(access: Access, request: Request) -> Caller | None:
    if not access.signed_in:
        return None
    caller = auth.caller_of(request.headers.get("authorization"))
    if caller is None and not access.optional:
        raise NotSignedIn
    return caller


def _body(operation: Operation, request: Request) -> bytes:
    if not (operation.body or operation.raw or operation.moves):
        return b""
    try:
        raw = request.raw_body
        return raw.encode() if isinstance(raw, str) else raw
    except ValueError as error:
        raise MalformedBody("the body can't be decoded") from error


def _value_of(rate: Rate, request: Request, caller: Caller | None, given: dict[str, Any]) -> str:
    """What a rate counts by. Headers that name an address are anybody's to write: API Gateway's isn't."""
    if rate.by == "address":
        return str(request.context.get("identity", {}).get("sourceIp", ""))
    if rate.by == "caller":
        return str(caller.id) if caller else ""
    place, name = rate.by.split(".")
    return str(getattr(given[place], name)).lower()


def _attempt(
    operation: Operation,
    request: Request,
    caller: Caller | None,
    path_values: dict[str, str],
    body: bytes,
) -> Attempt | None:
    if not operation.moves or caller is None:
        return None
    asked = repr(sorted(path_values.items())).encode() + b"\n" + body
    return Attempt(operation, str(caller.id), request.headers.get("idempotency-key"), asked)


def _checked(operation: Operation, text: str, answer: Any) -> str:
    """Hold what PostgreSQL wrote against the schema: in tests, not in each request."""
    if config().check_answers and isinstance(answer, Json):
        declared = operation.answer
        if get_origin(declared) is Json:
            (declared,) = get_args(declared)
        binding.adapter(declared).validate_json(text)
    return text


def problems_of_the_framework(event: Any, get_response: Callable[[Any], Response]) -> Response:
    """Middleware: what chalice itself refuses (404, 405, 415) in the form of our problems."""
    try:
        response = get_response(event)
    except Exception as error:  # noqa: BLE001  an event that no gateway sends; a 500 all the same
        log.line("request_failed", error=log.frames(error))
        response = Response("", status_code=InternalError.status)
    if "Request-Id" in response.headers:
        return response
    refusal = _BY_STATUS.get(response.status_code, ValidationFailed)
    allowed = response.headers.get("Allow")
    if refusal is MethodNotAllowed and not allowed:
        refusal = NotFound
    answer = answers.problem(refusal(), _id_of(event))
    if allowed:
        answer.headers["Allow"] = allowed
    return answer
