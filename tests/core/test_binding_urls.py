"""Path and query: decoded once, typed, and refused by name."""

from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import BeforeValidator, Field

from chalicelib.core import binding
from chalicelib.core.errors import ValidationFailed
from chalicelib.core.paging import PageQuery
from chalicelib.core.schemas import Schema, digits

IDENTIFIER = "019a9e00-0000-7000-8000-00000000000a"


class Asked(PageQuery):
    """A parameter of each kind."""

    kind: Literal["open", "done"] | None = None
    tag: list[str] = Field(default=[])
    least: Annotated[int, Field(ge=0), BeforeValidator(digits)] = 0
    owner: UUID | None = None
    unread: bool | None = None


class Needed(Schema):
    """A parameter that may not be missing."""

    product: str


def path(kind: object, text: str) -> object:
    return binding.path_of({"it": kind}, {"it": text})["it"]


def query(**given: str | list[str]) -> Asked:
    several = {name: [text] if isinstance(text, str) else text for name, text in given.items()}
    bound = binding.query_of(Asked, several)
    assert isinstance(bound, Asked)
    return bound


def test_an_id_is_read_in_either_case() -> None:
    assert path(UUID, IDENTIFIER) == path(UUID, IDENTIFIER.upper()) == UUID(IDENTIFIER)
    assert path(UUID, IDENTIFIER.replace("-", "%2D")) == UUID(IDENTIFIER)


@pytest.mark.parametrize(
    "text",
    [
        "{" + IDENTIFIER + "}",
        "urn:uuid:" + IDENTIFIER,
        IDENTIFIER.replace("-", ""),
        IDENTIFIER[:-1],
        IDENTIFIER + "0",
        IDENTIFIER + "%0A",
        "%20" + IDENTIFIER,
        IDENTIFIER.replace("a", "g"),
        IDENTIFIER.replace("-", "_"),
        IDENTIFIER.replace("0", "\u0660"),
        IDENTIFIER.replace("-", "%252D"),
        "%00" * 36,
        "null",
        "1",
        "' or 1=1 --",
        "../" + IDENTIFIER,
        "",
    ],
)
def test_one_id_has_one_address(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        path(UUID, text)
    assert [one.field for one in refused.value.problems] == ["path.it"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("S%C3%A3o%20Paulo", "São Paulo"),
        ("a+b", "a+b"),
        ("a%2Fb%3Fc%23d", "a/b?c#d"),
        ("100%25", "100%"),
        ("%2525", "%25"),
        ("%F0%9F%98%80", "\U0001f600"),
    ],
)
def test_a_path_is_decoded_once(text: str, expected: str) -> None:
    assert path(str, text) == expected


@pytest.mark.parametrize("text", ["%00", "a%00b", "%FF", "%C3", "%ED%A0%80", "%C0%AF", "\ud800"])
def test_a_path_that_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        path(str, text)
    assert refused.value.problems[0].field == "path.it"


def test_other_kinds_in_a_path_are_checked_too() -> None:
    assert path(Literal["stripe"], "stripe") == "stripe"
    assert path(int, "12") == 12
    for kind, text in ((Literal["stripe"], "paypal"), (int, "x")):
        with pytest.raises(ValidationFailed) as refused:
            path(kind, text)
        assert refused.value.problems[0].field.startswith("path.it")
        assert text not in "".join(refused.value.problems[0]).replace("path.it", "")


def test_a_query_becomes_its_schema() -> None:
    assert query() == Asked()
    asked = query(limit="50", kind="open", tag=["a", "b"], least="7", owner=IDENTIFIER)
    assert asked == Asked(limit=50, kind="open", tag=["a", "b"], least=7, owner=UUID(IDENTIFIER))
    assert query(tag="a").tag == ["a"]
    assert (query(unread="true").unread, query(unread="false").unread) == (True, False)


@pytest.mark.parametrize(
    "limit",
    [
        "0",
        "51",
        "-1",
        "1.0",
        "1e1",
        "1_0",
        " 7",
        "7 ",
        "+7",
        "\u0667",
        "true",
        "",
        "9" * 5000,
        "0x7",
    ],
)
def test_a_limit_is_a_number_from_1_to_50_in_plain_digits(limit: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        query(limit=limit)
    assert [one.field for one in refused.value.problems] == ["query.limit"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"limit": ["1", "2"]}, "query.limit"),
        ({"limit": ["1", "1"]}, "query.limit"),
        ({"kind": "closed"}, "query.kind"),
        ({"kind": ["open", "done"]}, "query.kind"),
        ({"owner": "x"}, "query.owner"),
        ({"least": "-1"}, "query.least"),
        ({"least": "9" * 30}, "query.least"),
        ({"cursor": "x" * 301}, "query.cursor"),
        ({"cursor": "\x00"}, "query.cursor"),
        ({"tag": ["fine", "a\x00"]}, "query.tag"),
        ({"tag": "\ud800"}, "query.tag"),
        ({"unread": "yes"}, "query.unread"),
        ({"unread": "1"}, "query.unread"),
        ({"unread": "True"}, "query.unread"),
        ({"unread": ""}, "query.unread"),
        ({"surprise": "1"}, "query.surprise"),
        ({"surprise": ["1", "2"]}, "query.surprise"),
    ],
)
def test_a_wrong_parameter_is_named(given: dict[str, str | list[str]], field: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        query(**given)
    assert [one.field for one in refused.value.problems] == [field]


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(ValidationFailed) as refused:
        binding.query_of(Needed, {})
    assert refused.value.problems[0][:2] == ("query.product", "missing")
