"""Lists with filters: what is asked for is found, by a statement of its own for each way to ask."""

import json
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import pytest
from pg8000 import native
from sqlalchemy import bindparam

from chalicelib.core import db, paging
from chalicelib.core.errors import ValidationFailed
from chalicelib.core.paging import Narrowed, PageQuery, each
from tests.support import database
from tests.support.things import NOW, SHOWN, C, create, put


class Asked(PageQuery):
    """Which things."""

    rank: int | None = None
    score: int | None = None
    kind: Literal["x", "y"] | None = None
    late: bool | None = None


def narrowed(*, ascending: bool) -> Narrowed:
    return Narrowed(
        SHOWN,
        C.at,
        C.id,
        ascending=ascending,
        rank=C.rank,
        score=C.score == bindparam("score", type_=C.score.type),
        kind=each(C.kind, "x", "y"),
        late={True: C.at > NOW, False: C.at <= NOW},
    )


@pytest.fixture(autouse=True)
def things(scratch: None) -> None:
    """Things of every kind."""
    create()
    for number in range(40):
        put(rank=number % 3, score=number % 4, at=NOW + timedelta(seconds=number % 5 - 2))
    database.execute("update scratch.things set kind = 'y' where score = 1")


def page(listed: Narrowed, query: Asked) -> dict[str, Any]:
    """One page of the things."""
    answer = db.read(lambda unit: paging.narrowed_page(unit, listed, query))
    found: dict[str, Any] = json.loads(answer.text)
    return found


def walk(listed: Narrowed, **asked: Any) -> list[UUID]:
    """The ids of all pages."""
    seen: list[UUID] = []
    cursor = None
    while True:
        query = Asked(limit=3, cursor=cursor, **asked)
        found = page(listed, query)
        seen += [UUID(item["id"]) for item in found["items"]]
        cursor = found["next_cursor"]
        if cursor is None:
            return seen


@pytest.mark.parametrize("ascending", [True, False], ids=["up", "down"])
@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        ({}, "true"),
        ({"rank": 0}, "rank = 0"),
        ({"rank": 1}, "rank = 1"),
        ({"rank": 9}, "false"),
        ({"score": 2}, "score = 2"),
        ({"kind": "y"}, "kind = 'y'"),
        ({"late": False}, "at <= $1"),
        ({"rank": 2, "score": 3}, "rank = 2 and score = 3"),
        ({"rank": 2, "kind": "x", "late": True}, "rank = 2 and kind = 'x' and at > $1"),
    ],
    ids=str,
)
def test_every_page_of_what_is_asked_for_is_found(
    asked: dict[str, Any], condition: str, ascending: bool
) -> None:
    way = "asc" if ascending else "desc"
    sql = f"select id from scratch.things where {condition} order by at {way}, id {way}"
    wanted = [row[0] for row in database.execute(sql, *([NOW] if "$1" in sql else []))]
    assert walk(narrowed(ascending=ascending), **asked) == wanted


def test_a_cursor_holds_for_what_was_asked_for() -> None:
    listed = narrowed(ascending=False)
    first = page(listed, Asked(limit=2, rank=1))
    other = Asked(limit=2, rank=2, cursor=first["next_cursor"])
    with pytest.raises(ValidationFailed):
        page(listed, other)


def test_each_way_to_ask_has_one_statement() -> None:
    listed = narrowed(ascending=False)
    one, given = listed.by(Asked(rank=1, kind="x"))
    assert given == {"rank": 1}
    assert listed.by(Asked(rank=2, kind="x")) == (one, {"rank": 2})
    assert listed.by(Asked(rank=2, kind="y"))[0] is not one
    assert listed.by(Asked())[0] is not one


def test_what_nothing_fits_is_not_looked_for_among_the_rest() -> None:
    """By an index that begins with the column, and no other: the rest is not even glanced at."""
    database.execute("delete from scratch.things")
    database.execute(
        "insert into scratch.things select gen_random_uuid(), 1, 0, $1, 'x'"
        " from generate_series(1, 20000)",
        NOW,
    )
    database.execute("create index things_by_rank on scratch.things (rank, at, id)")
    database.execute("create index things_by_time on scratch.things (at, id)")
    database.execute("analyze scratch.things")
    paged, _ = narrowed(ascending=False).by(Asked(rank=1))
    call = paged.statement.call({"rank": 7, "limit": 20} | paged.after(PageQuery()))
    with database.another_connection() as connection:
        assert _read(connection, call.sql.decode(), call.values) < 10


def _read(connection: native.Connection, sql: str, values: Any) -> int:
    connection.run("set plan_cache_mode = force_generic_plan")
    connection.run(f"prepare listed as {sql}")
    told = ", ".join("'" + str(value).replace("'", "''") + "'" for value in values)
    rows = connection.run(f"explain (analyze, format json) execute listed({told})")
    assert rows
    text = json.dumps(rows[0][0]) if not isinstance(rows[0][0], str) else rows[0][0]
    plan = json.loads(text)[0]["Plan"]
    nodes = [plan]
    looked_at = 0
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if node.get("Relation Name") == "things":
            looked_at += int(node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
    return looked_at
