"""Ways to answer that look right, and are not what the document says."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chalice.app import Response
from pydantic import BaseModel

from chalicelib.core import answers, binding, errors
from chalicelib.core.errors import FieldProblem, ValidationFailed
from local import http_server
from tests.faults.world import replaced


@contextmanager
def what_is_not_there_is_gone() -> Iterator[None]:
    """410 says more than 404."""
    with replaced(errors.NotFound, "status", 410):
        yield


@contextmanager
def nulls_are_left_out() -> Iterator[None]:
    """A field that is null needs no bytes."""
    sound = answers.success

    def naive(status: int, text: str, request_id: str, **how: Any) -> Response:
        if text:
            told = json.loads(text).items()
            text = json.dumps({name: value for name, value in told if value is not None})
        return sound(status, text, request_id, **how)

    with replaced(answers, "success", naive):
        yield


@contextmanager
def fields_are_taken_by_name() -> Iterator[None]:
    """What has to be there is there."""
    sound = binding.body_of

    def naive(model: type[BaseModel], raw: bytes, content_type: str, limit: int) -> BaseModel:
        told = json.loads(raw or b"{}")
        _ = [told[name] for name, field in model.model_fields.items() if field.is_required()]
        return sound(model, raw, content_type, limit)

    with replaced(binding, "body_of", naive):
        yield


@contextmanager
def problems_are_json_like_any_other() -> Iterator[None]:
    """One content type is enough."""
    with replaced(answers, "PROBLEM", answers.JSON):
        yield


@contextmanager
def limits_are_cut_down() -> Iterator[None]:
    """Whoever asks for more than a page holds gets a page."""
    sound = binding.query_of

    def naive(model: type[BaseModel], given: Mapping[str, list[str]]) -> BaseModel:
        asked = dict(given)
        if "limit" in asked and not asked["limit"][0].isdecimal():
            del asked["limit"]
        elif "limit" in asked:
            asked["limit"] = [str(min(50, max(1, int(asked["limit"][0]))))]
        return sound(model, asked)

    with replaced(binding, "query_of", naive):
        yield


@contextmanager
def a_page_holds_less_than_twenty() -> Iterator[None]:
    """Nobody who says how many asks for as many as are given by default."""
    sound = binding.query_of

    def naive(model: type[BaseModel], given: Mapping[str, list[str]]) -> BaseModel:
        found = sound(model, given)
        if "limit" in given and getattr(found, "limit", 0) >= 20:
            problem = FieldProblem("query.limit", "less_than", "less than 20")
            raise ValidationFailed(problems=(problem,))
        return found

    with replaced(binding, "query_of", naive):
        yield


@contextmanager
def transfer_codings_are_nothing_to_us() -> Iterator[None]:
    """A body is as long as its Content-Length says, whatever else is said."""
    sound = http_server._Connection._body  # noqa: SLF001

    def naive(self: Any, headers: Any, told: dict[str, str], *, modern: bool) -> bytes:
        kept = {name: value for name, value in told.items() if name != "transfer-encoding"}
        return sound(self, headers, kept, modern=modern)

    with replaced(http_server._Connection, "_body", naive):  # noqa: SLF001
        yield
