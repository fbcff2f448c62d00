"""What a unit of work makes of the database's refusals, by SQLSTATE alone, and what it does again."""

from pathlib import Path

import pytest

from chalicelib.core import db
from chalicelib.core.db import Connection
from chalicelib.core.driver import UnencodableValue
from chalicelib.core.errors import (
    AppError,
    Conflict,
    InternalError,
    NotFound,
    Unavailable,
    ValidationFailed,
)
from tests.support import database, logs
from tests.support.notes import ADD, ALL, Counted, add, kept, sql

RAISE = sql("select scratch.raise(:code)")
RAISE_AT_FIRST = sql("select scratch.raise_at_first(cast(:times as bigint), :code)")

pytestmark = pytest.mark.usefixtures("raising")


@pytest.mark.parametrize(
    ("sqlstate", "error", "status", "runs"),
    [
        ("40001", Unavailable, 503, db.ATTEMPTS),
        ("40P01", Unavailable, 503, db.ATTEMPTS),
        ("55P03", Conflict, 409, 1),
        ("57014", Unavailable, 503, 1),
        ("53300", Unavailable, 503, 1),
        ("53100", Unavailable, 503, 1),
        ("53200", Unavailable, 503, 1),
        ("57P03", Unavailable, 503, 1),
        ("58030", Unavailable, 503, 1),
        ("08006", Unavailable, 503, 1),
        ("25006", Unavailable, 503, 1),
        ("22021", ValidationFailed, 400, 1),
        ("22P05", ValidationFailed, 400, 1),
        ("23505", InternalError, 500, 1),
        ("23503", InternalError, 500, 1),
        ("23514", InternalError, 500, 1),
        ("22003", ValidationFailed, 400, 1),
        ("42P01", InternalError, 500, 1),
        ("42501", InternalError, 500, 1),
        ("P0001", InternalError, 500, 1),
        ("XX000", InternalError, 500, 1),
    ],
)
@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_refusal_nobody_foresaw_is_answered_by_its_sqlstate(
    *,
    pauses: list[float],
    log_lines: Path,
    kind: db.Kind,
    sqlstate: str,
    error: type[AppError],
    status: int,
    runs: int,
) -> None:
    work = Counted(lambda unit: unit.one(RAISE, code=sqlstate))
    with pytest.raises(error) as raised:
        db.run(kind, work)
    assert raised.value.status == status
    assert (raised.value.retry_after is not None) == (status == 503)
    assert work.runs == runs
    assert len(pauses) == runs - 1
    assert "canary" not in raised.value.detail
    assert "canary" not in log_lines.read_text()
    if runs == 1:
        assert logs.lines(log_lines, "database_error")[0]["sqlstate"] == sqlstate
    assert db.read(Connection.all, ALL) == []


def test_a_constraint_nobody_foresaw_is_logged_by_name_without_values(log_lines: Path) -> None:
    database.execute("alter table scratch.notes add constraint short check (length(note) < 9)")
    with pytest.raises(InternalError):
        db.write(lambda unit: unit.run(ADD, id=1, note="canary@kith.example"))
    (line,) = logs.lines(log_lines, "database_error")
    assert (line["sqlstate"], line["constraint"]) == ("23514", "short")
    assert "canary" not in log_lines.read_text()


def test_who_waits_too_long_for_a_lock_is_told_of_a_conflict() -> None:
    db.write(add, 1)

    def wait(unit: Connection) -> None:
        unit.run(sql("set local lock_timeout = '30ms'"))
        unit.run(sql("delete from scratch.notes"))

    with database.another_connection() as other:
        other.run("begin")
        other.run("update scratch.notes set note = 'held'")
        work = Counted(wait)
        with pytest.raises(Conflict):
            db.write(work)
        other.run("rollback")
    assert work.runs == 1
    assert kept() == [1]


@pytest.mark.parametrize(
    ("sqlstate", "constraint", "error"),
    [
        (db.UNIQUE_VIOLATION, "notes_pkey", NotFound),
        (db.UNIQUE_VIOLATION, "another", InternalError),
        (db.CHECK_VIOLATION, "notes_pkey", InternalError),
    ],
)
def test_a_refusal_is_foreseen_by_sqlstate_and_constraint(
    sqlstate: str, constraint: str, error: type[AppError]
) -> None:
    db.write(add, 1)

    def add_again(unit: Connection) -> None:
        add(unit, 2)
        with db.refused(sqlstate, constraint, NotFound()):
            add(unit, 1)

    with pytest.raises(error):
        db.write(add_again)
    assert kept() == [1]


def test_text_that_is_not_unicode_is_the_callers_mistake() -> None:
    with pytest.raises(ValidationFailed) as refused:
        db.write(lambda unit: unit.run(ADD, id=1, note="\ud800"))
    assert isinstance(refused.value.__cause__, UnencodableValue)
    db.write(add, 2)
    assert kept() == [2]


def test_rows_that_can_not_be_read_undo_the_unit() -> None:
    def work(unit: Connection) -> None:
        add(unit, 1)
        unit.one(sql("select time '24:00' as t", "t"))

    with pytest.raises(ValueError, match="24"):
        db.write(work)
    db.write(add, 2)
    assert kept() == [2]
