"""Time, chance, errors and excuses in the program's code; each check also shown turning red."""

from collections.abc import Callable

import pytest

from tests.architecture import habits, money, sql
from tests.architecture.source import Tree, everything, load, planted, program, report

Check = Callable[[Tree], list[str]]

IN_THE_PROGRAM: list[Check] = [
    habits.other_clocks,
    habits.weak_chance,
    habits.driver_errors,
    habits.unreasoned,
    money.floats,
    sql.commits,
    sql.own_transactions,
    sql.built_sql,
]

# What each check has to find, as the file's path within chalicelib and its text.
WRONG: list[tuple[Check, str, str]] = [
    (habits.other_clocks, "core/a", "from datetime import datetime\nat = datetime.now()"),
    (habits.other_clocks, "core/a", "from datetime import UTC, datetime as d\nat = d.now(UTC)"),
    (habits.other_clocks, "core/a", "import datetime\nat = datetime.datetime.utcnow()"),
    (habits.other_clocks, "core/a", "from datetime import datetime\nf(default=datetime.today)"),
    (habits.other_clocks, "core/a", "from datetime import date\nday = date.today()"),
    (habits.other_clocks, "core/a", "import time\nat = time.time()"),
    (habits.other_clocks, "core/a", "from time import time\nat = time()"),
    (habits.other_clocks, "core/a", "from datetime import datetime\ndatetime.fromtimestamp(7)"),
    (habits.weak_chance, "core/a", "import random\ncode = random.randint(0, 9)"),
    (habits.weak_chance, "core/a", "def f():\n    from random import choice"),
    (habits.weak_chance, "core/a", "from uuid import uuid4\nid = uuid4()"),
    (habits.driver_errors, "core/a", "try: f()\nexcept OperationalError: pass"),
    (habits.driver_errors, "core/a", "try: f()\nexcept (ValueError, exc.IntegrityError): pass"),
    (
        habits.driver_errors,
        "core/a",
        "from sqlalchemy.exc import ProgrammingError as E\ntry: f()\nexcept E: pass",
    ),
    (habits.unreasoned, "core/a", "def f():\n    global x\n    x = 1"),
    (habits.unreasoned, "core/a", "def f():\n    global x  # noqa: PLW0603\n    x = 1"),
    (habits.unreasoned, "core/a", "import os  # noqa"),
    (habits.unreasoned, "core/a", "import os  # noqa: F401"),
    (money.floats, "kernel/billing/service", "def price(amount: float) -> int: ..."),
    (money.floats, "kernel/billing/ledger/service", "total = 19.9"),
    (money.floats, "products/marketplace/service", "half = amount / 2"),
    (money.floats, "core/money", "def f(x: 'int | None', y: list[float]): ..."),
    (
        money.floats,
        "kernel/billing/tables",
        "from sqlalchemy import Column, Float\nprice = Column(Float)",
    ),
    (sql.commits, "kernel/billing/service", "def f(db):\n    db.commit()"),
    (sql.commits, "core/jobs", "def f(driver):\n    driver._driver.begin()"),
    (sql.commits, "core/jobs", "from chalicelib.core.driver import COMMIT\nsend(COMMIT)"),
    (sql.commits, "core/jobs", "call = Call(b'commit')"),
    (sql.commits, "core/jobs", "run('update x set y = 1; COMMIT')"),
    (
        sql.own_transactions,
        "kernel/billing/service",
        "from chalicelib.core import db\ndef f(unit):\n    db.write(g)",
    ),
    (
        sql.own_transactions,
        "products/marketplace/service",
        "from chalicelib.core.db import Transactions\ndef f():\n    return Transactions()",
    ),
    (sql.built_sql, "core/a", "run(f'select id from users where name = {name}')"),
    (sql.built_sql, "core/a", "run('delete from ' + table)"),
    (sql.built_sql, "core/a", "run('update users set name = %s' % name)"),
    (sql.built_sql, "core/a", "run('insert into {} values (1)'.format(table))"),
    (sql.built_sql, "core/a", "run(f'set lock_timeout = {n}'.encode())"),
    (sql.built_sql, "core/a", "from sqlalchemy import text\nwhere = text(given)"),
    (sql.built_sql, "core/a", "import sqlalchemy as sa\nsa.literal_column(f'{given}')"),
    (sql.database_clocks, "core/a", "from sqlalchemy import func\nat = func.now()"),
    (sql.database_clocks, "core/a", "import sqlalchemy as sa\nat = sa.func.current_timestamp()"),
    (sql.database_clocks, "core/a", "run('select id from x where at < now()')"),
    (sql.database_clocks, "core/a", "run('... default current_timestamp')"),
    (habits.undone, "core/a", "x = 1  # TODO: later"),
    (habits.undone, "core/a", "# FIXME\n"),
]

# What only looks wrong.
RIGHT: list[tuple[Check, str, str]] = [
    (habits.other_clocks, "core/clock", "from datetime import UTC, datetime\ndatetime.now(UTC)"),
    (habits.other_clocks, "core/a", "from chalicelib.core import clock\nat = clock.now()"),
    (habits.other_clocks, "core/a", "import time\ntime.perf_counter()\ntime.sleep(1)"),
    (
        habits.other_clocks,
        "core/a",
        "from datetime import UTC, datetime\ndatetime.fromtimestamp(7, UTC)",
    ),
    (habits.driver_errors, "core/a", "try: f()\nexcept DatabaseError: pass"),
    (habits.unreasoned, "core/a", "def f():\n    global x  # noqa: PLW0603  one for each process"),
    (money.floats, "kernel/billing/service", "half: int = amount // 2"),
    (money.floats, "core/jobs", "share = 0.5"),
    (money.floats, "kernel/billing/gateway", "_SECONDS = 0.5\ndef f(deadline: float): ..."),
    (sql.commits, "core/db", "def f(driver):\n    driver.commit()"),
    (sql.commits, "core/a", '"""Commit."""\ndb.after_commit(f)\nsay("commit to it")'),
    (sql.commits, "core/a", "response.begin()"),
    (
        sql.own_transactions,
        "kernel/billing/service",
        "from chalicelib.core import db\ndef f(db):\n    db.run(STATEMENT)",
    ),
    (
        sql.own_transactions,
        "kernel/billing/workers",
        "from chalicelib.core import db\ndef f(message):\n    db.write(service.f)",
    ),
    (sql.built_sql, "core/a", "raise ValueError(f'{name} is set from {place}')"),
    (sql.built_sql, "core/a", "from sqlalchemy import text\nwhere = text('done_at is null')"),
    (sql.database_clocks, "core/a", '"""Never now()."""\nat = clock.now()'),
    (habits.undone, "core/a", "todo = 'TODO'  # what is left"),
]


def _name(value: object) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize("check", IN_THE_PROGRAM, ids=_name)
def test_the_program_keeps_to_it(check: Check) -> None:
    found = check(program())
    assert not found, report(found)


def test_no_sql_asks_the_database_for_the_time() -> None:
    found = sql.database_clocks(load("chalicelib", "migrations"))
    assert not found, report(found)


def test_nothing_is_left_undone() -> None:
    found = habits.undone(everything())
    assert not found, report(found)


@pytest.mark.parametrize(("check", "path", "text"), WRONG, ids=_name)
def test_what_is_wrong_is_found(check: Check, path: str, text: str) -> None:
    assert check(planted({f"chalicelib/{path}.py": text}))


@pytest.mark.parametrize(("check", "path", "text"), RIGHT, ids=_name)
def test_what_is_right_is_not(check: Check, path: str, text: str) -> None:
    assert not check(planted({f"chalicelib/{path}.py": text}))
