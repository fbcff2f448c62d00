"""Cursors: ours, for these filters, or refused by name; whatever they hold, never a failure."""

import base64
import json
from typing import Any
from uuid import UUID

import pytest

from chalicelib.core.errors import ValidationFailed
from chalicelib.core.paging import PagedStatement, PageQuery
from tests.support.things import NOW, PAGED, create, page, put


class Filtered(PageQuery):
    """A list with a filter."""

    kind: str | None = None


@pytest.fixture(autouse=True)
def things(scratch: None) -> None:
    """An empty table of things."""
    create()


def cursor_of(*told: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


def refused(paged: PagedStatement, query: PageQuery) -> bool:
    """Whether a cursor is refused by name; a page of the list is the only other outcome."""
    try:
        page(paged, query)
    except ValidationFailed as error:
        return [one.field for one in error.problems] == ["query.cursor"]
    return False


def test_a_cursor_of_other_filters_is_refused() -> None:
    for _ in range(3):
        put()
    paged = PAGED["id", True]
    cursor = page(paged, Filtered(limit=1, kind="x"))["next_cursor"]
    assert not refused(paged, Filtered(limit=2, kind="x", cursor=cursor))
    assert refused(paged, Filtered(limit=1, kind="y", cursor=cursor))
    assert refused(paged, Filtered(limit=1, cursor=cursor))
    assert refused(paged, PageQuery(limit=1, cursor=cursor))
    assert refused(PAGED["rank", True], Filtered(kind="x", cursor=cursor))


DIGEST = PageQuery().digest()
ID = str(UUID(int=5))
MADE_UP = {
    "noise": "!!!!",
    "not ASCII": "é" * 8,
    "not base64": "abc$",
    "a letter too many": "A",
    "no JSON": "AAAA",
    "no list": base64.urlsafe_b64encode(b'{"a": 1}').decode(),
    "null": base64.urlsafe_b64encode(b"null").decode(),
    "empty": cursor_of(),
    "deep": base64.urlsafe_b64encode(b"[" * 200).decode(),
    "another digest": cursor_of("0" * 12, 1, NOW.isoformat(), 1, ID),
    "digest no text": cursor_of(7, 1, NOW.isoformat(), 1, ID),
    "too short": cursor_of(DIGEST, 1),
    "too long": cursor_of(DIGEST, 1, NOW.isoformat(), 1, ID, ID),
    "rank no number": cursor_of(DIGEST, "1", NOW.isoformat(), 1, ID),
    "rank a float": cursor_of(DIGEST, 1.0, NOW.isoformat(), 1, ID),
    "rank true": cursor_of(DIGEST, True, NOW.isoformat(), 1, ID),
    "rank null": cursor_of(DIGEST, None, NOW.isoformat(), 1, ID),
    "rank out of range": cursor_of(DIGEST, 2**31, NOW.isoformat(), 1, ID),
    "score out of range": cursor_of(DIGEST, 1, NOW.isoformat(), 2**63, ID),
    "score far out of range": cursor_of(DIGEST, 1, NOW.isoformat(), 10**100, ID),
    "time no text": cursor_of(DIGEST, 1, 0, 1, ID),
    "time no time": cursor_of(DIGEST, 1, "soon", 1, ID),
    "time without a zone": cursor_of(DIGEST, 1, "2026-11-20T12:00:00", 1, ID),
    "time before time": cursor_of(DIGEST, 1, "0001-01-01T00:00:00+23:59", 1, ID),
    "time after time": cursor_of(DIGEST, 1, "9999-12-31T23:59:59-23:59", 1, ID),
    "id no text": cursor_of(DIGEST, 1, NOW.isoformat(), 1, 5),
    "id no id": cursor_of(DIGEST, 1, NOW.isoformat(), 1, "x"),
    "id null": cursor_of(DIGEST, 1, NOW.isoformat(), 1, None),
    "id a list": cursor_of(DIGEST, 1, NOW.isoformat(), 1, [ID]),
    "NaN": base64.urlsafe_b64encode(f'["{DIGEST}",NaN,"{NOW}",1,"{ID}"]'.encode()).decode(),
}


@pytest.mark.parametrize("name", MADE_UP)
def test_a_made_up_cursor_is_refused(name: str) -> None:
    assert refused(PAGED["all", True], PageQuery(cursor=MADE_UP[name]))


def test_a_cursor_that_was_altered_is_refused_or_a_place_in_the_list_and_never_a_failure() -> None:
    for number in range(5):
        put(rank=number)
    cursor = page(PAGED["all", True], PageQuery(limit=2))["next_cursor"]
    outcomes = [
        refused(PAGED["all", True], PageQuery(cursor=cursor[:at] + other + cursor[at + 1 :]))
        for at in range(len(cursor))
        for other in "A9_z"
        if cursor[at] != other
    ]
    assert sum(outcomes) > len(outcomes) / 2
