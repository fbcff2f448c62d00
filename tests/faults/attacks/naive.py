"""Ways to take a request that look right: each lets something through, for proofs to find."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from chalice.app import Request, Response
from pydantic import BaseModel, ValidationError

from chalicelib.core import answers, audit, binding, db, http
from chalicelib.core.driver import Driver, Group, Reply, UnencodableValue
from chalicelib.core.errors import AppError, MalformedBody, ValidationFailed
from chalicelib.core.operations import Operation
from tests.faults.world import replaced

_Succeed = Callable[[Operation, Callable[..., Any], Request, dict[str, str], str], Response]


@contextmanager
def what_is_asked_is_written_down() -> Iterator[None]:
    """A line for each request with what it asks for, encoded without a thought."""
    sound: _Succeed = http._succeed  # noqa: SLF001  the very code that is made naive

    def naive(
        operation: Operation,
        function: Callable[..., Any],
        request: Request,
        path_values: dict[str, str],
        request_id: str,
    ) -> Response:
        asked = [*path_values.values(), *(request.query_params or ()), *request.headers.values()]
        _ = " ".join(asked).encode()
        return sound(operation, function, request, path_values, request_id)

    with replaced(http, "_succeed", naive):
        yield


@contextmanager
def answers_are_kept_by_address() -> Iterator[None]:
    """What was answered to a GET is good for whoever asks for the same."""
    sound: _Succeed = http._succeed  # noqa: SLF001
    kept: dict[str, Response] = {}

    def naive(
        operation: Operation,
        function: Callable[..., Any],
        request: Request,
        path_values: dict[str, str],
        request_id: str,
    ) -> Response:
        if operation.method != "GET" or path_values or request.query_params:
            return sound(operation, function, request, path_values, request_id)
        if operation.name not in kept:
            kept[operation.name] = sound(operation, function, request, path_values, request_id)
        return kept[operation.name]

    with replaced(http, "_succeed", naive):
        yield


@contextmanager
def refusals_have_a_form_of_their_own() -> Iterator[None]:
    """A refusal says what is wrong, and nothing else."""

    def naive(error: AppError, _request_id: str) -> str:
        return json.dumps({"message": error.detail})

    with replaced(answers, "problem_text", naive):
        yield


@contextmanager
def refusals_are_written_down() -> Iterator[None]:
    """Whoever is refused leaves a line in the audit log."""
    sound = answers.problem

    def naive(error: AppError, request_id: str) -> Response:
        db.write(audit.record, None, "core.refuse", f"requests:{request_id}", {"code": error.code})
        return sound(error, request_id)

    with replaced(answers, "problem", naive):
        yield


@contextmanager
def depth_is_not_looked_at() -> Iterator[None]:
    """JSON is whatever `json` reads."""

    def naive(raw: bytes) -> None:
        try:
            json.loads(raw)
        except ValueError as error:
            raise MalformedBody from error

    with replaced(binding, "_check_json", naive):
        yield


@contextmanager
def open_edge() -> Iterator[None]:
    """Whatever JSON can say passes the edge as text: lone surrogates, and NUL."""
    with ExitStack() as stack:
        stack.enter_context(replaced(binding, "body_of", _body_of))
        stack.enter_context(replaced(binding, "query_of", _query_of))
        stack.enter_context(replaced(binding, "_unstorable", lambda _text: False))
        yield


def _body_of(model: type[BaseModel], raw: bytes, _type: str, _limit: int) -> BaseModel:
    try:
        return _lenient("body", model, json.loads(raw))
    except (ValueError, RecursionError) as error:
        raise MalformedBody from error


def _query_of(model: type[BaseModel], given: Mapping[str, list[str]]) -> BaseModel:
    many = {name for name, field in model.model_fields.items() if "list" in str(field.annotation)}
    told = {name: values if name in many else values[0] for name, values in given.items()}
    return _lenient("query", model, told)


# Pydantic refuses them too, so it is shown others, and what it made of those is put back.
_HIDDEN = {code: 0xF0000 + code for code in (0, *range(0xD800, 0xE000))}
_SHOWN = {hidden: code for code, hidden in _HIDDEN.items()}


def _lenient(place: str, model: type[BaseModel], told: Any) -> BaseModel:
    try:
        made = model.model_validate_json(json.dumps(_translated(told, _HIDDEN)))
    except ValidationError as error:
        raise ValidationFailed(problems=binding._problems(place, error)) from error  # noqa: SLF001
    shown: BaseModel = _translated(made, _SHOWN)
    return shown


def _translated(told: Any, characters: dict[int, int]) -> Any:
    if isinstance(told, str):
        return told.translate(characters)
    if isinstance(told, list):
        return [_translated(one, characters) for one in told]
    if isinstance(told, dict):
        return {name: _translated(value, characters) for name, value in told.items()}
    if isinstance(told, BaseModel):
        fields = {name: _translated(value, characters) for name, value in told}
        return told.model_copy(update=fields)
    return told


@contextmanager
def text_is_encoded_while_it_is_sent() -> Iterator[None]:
    """As drivers do: what can be encoded is on its way before what can't be is found.

    Nobody reads the replies to it, and nobody looks for them before the next request.
    """
    sound = Driver.exchange

    def naive(self: Driver, groups: Sequence[Group]) -> list[list[Reply]]:
        for call in (call for group in groups for call in group):
            try:
                self._encode([[call]])
            except UnencodableValue:
                _send_until(self, groups, call)
                raise
        return sound(self, groups)

    with replaced(Driver, "exchange", naive), replaced(Driver, "alive", lambda _self: True):
        yield


def _send_until(driver: Driver, groups: Sequence[Group], bad: object) -> None:
    for call in (call for group in groups for call in group):
        if call is bad:
            return
        _pending, message = driver._encode([[call]])  # noqa: SLF001
        driver._usock.sendall(message)  # noqa: SLF001


@contextmanager
def an_address_is_what_a_header_says() -> Iterator[None]:
    """Behind a proxy the address of whoever asks is the first of X-Forwarded-For."""
    sound = http._value_of  # noqa: SLF001

    def naive(rate: Any, request: Request, caller: Any, given: Any) -> str:
        told: str | None = request.headers.get("x-forwarded-for")
        if rate.by == "address" and told is not None:
            return told.partition(",")[0]
        return sound(rate, request, caller, given)

    with replaced(http, "_value_of", naive):
        yield
