"""From text to typed input: what parsers disagree on is refused, and each field is named."""

import json
import time
import uuid
from datetime import date
from typing import Annotated, Any

import pytest
from pydantic import Field

from chalicelib.core import binding
from chalicelib.core.errors import (
    AppError,
    BodyTooLarge,
    MalformedBody,
    UnsupportedMediaType,
    ValidationFailed,
)
from chalicelib.core.schemas import Empty, Limit, Schema

JSON = "application/json"


class Address(Schema):
    """An object within."""

    street: str
    number: int | None = None


class Thing(Schema):
    """A field of each kind."""

    name: Annotated[str, Field(min_length=1, max_length=20)]
    count: int = 0
    weight: float = 0.0
    active: bool = True
    born: date | None = None
    owner: uuid.UUID | None = None
    tags: list[str] = Field(default=[])
    address: Address | None = None
    extra: dict[str, Any] = Field(default={})


def body(raw: bytes | str, content_type: str = JSON, limit: int = 64_000) -> Thing:
    encoded = raw.encode() if isinstance(raw, str) else raw
    bound = binding.body_of(Thing, encoded, content_type, limit)
    assert isinstance(bound, Thing)
    return bound


def fields(refused: pytest.ExceptionInfo[AppError]) -> list[tuple[str, str]]:
    return [(one.field, one.code) for one in refused.value.problems]


def test_a_body_becomes_its_schema() -> None:
    owner = uuid.uuid4()
    raw = json.dumps(
        {"name": "São", "count": 2, "weight": 1.5, "born": "2026-02-28", "owner": str(owner)}
    )
    thing = body(raw)
    assert thing == Thing(name="São", count=2, weight=1.5, born=date(2026, 2, 28), owner=owner)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/JSON",
        "APPLICATION/JSON; charset=utf-8",
        "application/json;charset=UTF-8",
        " application/json ",
        'application/json; charset="utf-8"; profile=x',
    ],
)
def test_content_types_that_are_json(content_type: str) -> None:
    assert body('{"name": "x"}', content_type).name == "x"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/jsonp",
        "application/json-seq",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "text/html, application/json",
        "json",
    ],
)
def test_content_types_that_are_not(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        body('{"name": "x"}', content_type)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("[" * 100_000, id="deep arrays"),
        pytest.param("[" * 100_000 + "]" * 100_000, id="deep arrays, closed"),
        pytest.param('{"a":' * 40 + "1" + "}" * 40, id="deep objects"),
        pytest.param('{"name":"x","extra":' + '{"a":[' * 16 + "]}" * 16 + "}", id="33 levels"),
        pytest.param('{"name": "x", "weight": NaN}', id="NaN"),
        pytest.param('{"name": "x", "weight": Infinity}', id="Infinity"),
        pytest.param('{"name": "x", "weight": -Infinity}', id="-Infinity"),
        pytest.param('{"name": "x", "weight": 1e400}', id="1e400"),
        pytest.param('{"name": "x", "extra": {"a": [-1e400]}}', id="-1e400 within"),
        pytest.param('{"name": "x", "count": 1' + "0" * 5000 + "}", id="5,000 digits"),
        pytest.param('{"name": "x", "count": 9223372036854775808}', id="2**63"),
        pytest.param('{"name": "x", "extra": {"a": -9223372036854775809}}', id="-2**63-1"),
        pytest.param('{"name": "x", "name": "y"}', id="a key twice"),
        pytest.param('{"name": "x", "n\\u0061me": "y"}', id="a key twice, escaped"),
        pytest.param('{"name": "x", "address": {"street": "a", "street": "b"}}', id="nested"),
        pytest.param('{"name": "x", "extra": {"a": [{"b": 1, "b": 1}]}}', id="deeply nested"),
        pytest.param(b'\xef\xbb\xbf{"name": "x"}', id="byte order mark"),
        pytest.param('{"name": "x"}'.encode("utf-16"), id="UTF-16"),
        pytest.param('{"name": "x"}'.encode("utf-16-le"), id="UTF-16 without a mark"),
        pytest.param('{"name": "x"}'.encode("utf-32"), id="UTF-32"),
        pytest.param('{"name": "é"}'.encode("latin-1"), id="Latin-1"),
        pytest.param(b'{"name": "\xed\xa0\x80"}', id="a surrogate in UTF-8"),
        pytest.param(b'{"name": "\xc0\xaf"}', id="overlong UTF-8"),
        pytest.param('{"name": "a\\u0000b"}', id="NUL"),
        pytest.param('{"name": "x", "extra": {"a\\u0000": 1}}', id="NUL in a key"),
        pytest.param('{"name": "x", "tags": ["\\u0000"]}', id="NUL in a list"),
        pytest.param('{"name": "a\x00b"}', id="a bare NUL"),
        pytest.param('{"name": "a\nb"}', id="a bare newline"),
        pytest.param("", id="nothing"),
        pytest.param("   ", id="blanks"),
        pytest.param('{"name": "x"', id="half"),
        pytest.param('{"name": "x"} {}', id="more than one"),
        pytest.param('{"name": "x",}', id="trailing comma"),
        pytest.param("{'name': 'x'}", id="single quotes"),
        pytest.param('{"name": "x", "count": 01}', id="leading zero"),
        pytest.param('{"name": "x", "count": 0x1}', id="hexadecimal"),
        pytest.param('{"name": "x"} // note', id="comment"),
        pytest.param('{"name": "\\x41"}', id="a made-up escape"),
    ],
)
def test_what_is_no_json_or_has_two_readings_is_malformed(raw: bytes | str) -> None:
    with pytest.raises(MalformedBody) as refused:
        body(raw, limit=1_000_000)
    assert len(refused.value.detail) < 100
    assert "sys." not in refused.value.detail


@pytest.mark.parametrize("number", ["9223372036854775807", "-9223372036854775808", "-0", "1e308"])
def test_numbers_at_the_edge_are_fine(number: str) -> None:
    assert body('{"name": "x", "extra": {"a": ' + number + "}}").extra["a"] == json.loads(number)


def test_json_that_is_deep_in_a_string_only_is_fine() -> None:
    brackets = "[{" * 9 + '\\"' + "[{" * 9
    thing = body(
        json.dumps({"name": "x", "tags": [brackets, "\\", '"['], "extra": {"a": "[" * 99}})
    )
    assert thing.tags[0] == brackets


@pytest.mark.parametrize("text", ['\\"', "\\\\", '"', "a", "[", '"[\\'])
def test_how_deep_a_body_is_takes_one_reading_to_find_out(text: str) -> None:
    raw = ("[" * 40 + '"' + text * 64_000)[:64_000]
    started = time.perf_counter()
    with pytest.raises(MalformedBody):
        body(raw)
    assert time.perf_counter() - started < 1


def test_thirty_two_levels_are_as_deep_as_it_goes() -> None:
    assert body('{"name":"x","extra":{"a":' + "[" * 30 + "]" * 30 + "}}").name == "x"


@pytest.mark.parametrize("escape", ["\\ud800", "\\udc00", "\\ud800\\u0041", "\\udfff\\ud800"])
@pytest.mark.parametrize(
    "template",
    ['{"name": "%s"}', '{"name": "x", "extra": {"%s": 1}}', '{"name":"x","tags":["%s"]}'],
)
def test_half_a_character_is_refused_wherever_it_stands(template: str, escape: str) -> None:
    with pytest.raises((ValidationFailed, MalformedBody)) as refused:
        body(template % escape)
    refused.value.detail.encode()
    for problem in refused.value.problems:
        "".join(problem).encode()


def test_a_whole_character_in_two_escapes_is_fine() -> None:
    assert body('{"name": "\\ud83d\\ude00"}').name == "\U0001f600"


@pytest.mark.parametrize("raw", ["null", "true", "1", "1.5", '"name"', "[]", '[{"name": "x"}]'])
def test_a_body_that_is_no_object_is_refused(raw: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        body(raw)
    assert fields(refused) == [("body", "model_type")]


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ('"count": true', "body.count", "int_type"),
        ('"count": "1"', "body.count", "int_type"),
        ('"count": 1.0', "body.count", "int_type"),
        ('"count": 1e2', "body.count", "int_type"),
        ('"count": null', "body.count", "int_type"),
        ('"count": [1]', "body.count", "int_type"),
        ('"weight": "1.5"', "body.weight", "float_type"),
        ('"weight": true', "body.weight", "float_type"),
        ('"active": 1', "body.active", "bool_type"),
        ('"active": "true"', "body.active", "bool_type"),
        ('"born": "2026-02-30"', "body.born", "date_parsing"),
        ('"born": 0', "body.born", "date_type"),
        ('"owner": "x"', "body.owner", "uuid_parsing"),
        ('"owner": 7', "body.owner", "uuid_type"),
        ('"tags": "x"', "body.tags", "list_type"),
        ('"tags": ["x", 1]', "body.tags.1", "string_type"),
        ('"address": {"street": 1}', "body.address.street", "string_type"),
        ('"address": {}', "body.address.street", "missing"),
        ('"address": {"street": "a", "zip": 1}', "body.address.zip", "extra_forbidden"),
        ('"surprise": 1', "body.surprise", "extra_forbidden"),
        ('"id": "x"', "body.id", "extra_forbidden"),
    ],
)
def test_each_wrong_field_is_named_and_nothing_is_coerced(
    given: str, field: str, code: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        body('{"name": "x", ' + given + "}")
    assert fields(refused) == [(field, code)]


def test_several_problems_are_told_at_once_and_not_more_than_twenty() -> None:
    with pytest.raises(ValidationFailed) as refused:
        body(json.dumps({"count": "x", **{f"unknown_{number}": 1 for number in range(50)}}))
    found = fields(refused)
    assert found[:2] == [("body.name", "missing"), ("body.count", "int_type")]
    assert len(found) == 20


def test_an_unknown_field_of_any_length_is_told_short_and_in_unicode() -> None:
    with pytest.raises(ValidationFailed) as refused:
        body(json.dumps({"name": "x", "é" * 5000: 1}, ensure_ascii=False))
    assert fields(refused) == [("body." + "é" * 100, "extra_forbidden")]


def test_what_was_given_is_never_echoed() -> None:
    secret = "wild canary at dawn"
    wrong = {
        "name": secret * 2,
        "count": secret,
        "weight": secret,
        "active": secret,
        "born": secret,
        "owner": secret,
        "tags": secret,
        "address": {"street": [secret], "number": secret},
        "extra": secret,
    }
    for raw in (json.dumps(wrong), f'{{"name": "{secret}', f'"{secret}"', f"{{{secret}: 1}}"):
        with pytest.raises(AppError) as refused:
            body(raw)
        told = [refused.value.detail, *("".join(one) for one in refused.value.problems)]
        assert not any(secret[:8] in text for text in told)
    with pytest.raises(ValidationFailed) as refused:
        body(json.dumps(wrong))
    assert len(refused.value.problems) >= 9


def test_a_body_has_a_limit() -> None:
    raw = json.dumps({"name": "x", "tags": ["y" * 100]})
    assert body(raw, limit=len(raw)).name == "x"
    with pytest.raises(BodyTooLarge):
        body(raw, limit=len(raw) - 1)
    with pytest.raises(BodyTooLarge):
        body("[" * 10_000_000)


def test_a_list_as_long_as_the_body_allows_is_quickly_bound() -> None:
    raw = json.dumps({"name": "x", "tags": ["a"] * 65_536})
    assert len(body(raw, limit=1_000_000).tags) == 65_536


def test_an_empty_body_is_an_object_with_nothing_in_it() -> None:
    assert binding.body_of(Empty, b"{}", JSON, 100) == Empty()
    for raw in (b"", b"null", b'{"a": 1}'):
        with pytest.raises(AppError):
            binding.body_of(Empty, raw, JSON, 100)


def test_a_limit_says_what_it_is_in_its_schema() -> None:
    class Asked(Schema):
        limit: Limit = 20

    shown = Asked.model_json_schema()["properties"]["limit"]
    assert (shown["minimum"], shown["maximum"], shown["default"]) == (1, 50, 20)
