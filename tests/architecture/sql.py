"""SQL in the program: who commits, whose clock it goes by, and that none is put together by hand."""

import ast
import re

from tests.architecture.source import Source, Tree, literal

_EDGE = {"chalicelib/core/db.py", "chalicelib/core/driver.py"}
_ENDING = re.compile(
    r"(^|;)\s*((begin|commit|end|rollback)(\s+(work|transaction))?|start\s+transaction\b[\w\s,]*"
    r"|(savepoint|rollback\s+to|release)\s+\w+)\s*(;|$)",
    re.IGNORECASE,
)
_ENDING_CALL = re.compile(
    r"\.(begin_nested|commit|rollback)$"
    r"|(^|[._])(conn|connection|db|driver|engine|session|unit)\.begin$"
)
_ENDING_NAMES = {f"chalicelib.core.driver.{one}" for one in ("BEGIN", "COMMIT", "ROLLBACK")}
_OWN_WORK = {f"chalicelib.core.db.{one}" for one in ("read", "write", "run", "session", "close")}
_OWN_UNITS = {f"chalicelib.core.db.{one}" for one in ("Connection", "Transactions", "Session")}

_DATABASE_CLOCK = (
    "clock_timestamp|current_date|current_time|current_timestamp|localtime|localtimestamp|now"
    "|statement_timestamp|timeofday|transaction_timestamp"
)
_CLOCK_CALL = re.compile(rf"(^|\.)func\.({_DATABASE_CLOCK})$")
CLOCK_TEXT = re.compile(
    r"\b(clock_timestamp|now|statement_timestamp|timeofday|transaction_timestamp)\s*\("
    r"|\b(current_date|current_time|current_timestamp|localtime|localtimestamp)\b"
    r"|'(now|today|tomorrow|yesterday)'::",
    re.IGNORECASE,
)

_SQL = re.compile(
    r"\bselect\b.+\bfrom\b|\binsert\s+into\b|\bupdate\b.+\bset\b|\bdelete\s+from\b"
    r"|\b(create|alter|drop|truncate|lock)\s+(table|index|schema|view|function|role|database)\b"
    r"|\bset\s+(local|session|\w+\s*(=|\bto\b))|\border\s+by\b|\bwhere\b.+(=|<|>|\bin\b)",
    re.IGNORECASE | re.DOTALL,
)
_TEXT_CALLS = {
    "sqlalchemy.DDL",
    "sqlalchemy.column",
    "sqlalchemy.literal_column",
    "sqlalchemy.table",
    "sqlalchemy.text",
}
_WEIGHED = {
    "chalicelib/kernel/billing/invariants/queries.py": "rules as SQL, constants of the file",
    "chalicelib/core/paging.py": "the names of our own columns, as literals of their JSON keys",
    "chalicelib/core/privacy.py": "the names of our own tables and columns",
}
"""Files whose SQL text is not all constant, and why none of it is a caller's."""


def commits(tree: Tree) -> list[str]:
    """Transactions begun or ended by others than the edge."""
    found = []
    for source in tree:
        if source.path in _EDGE:
            continue
        found += [
            source.at(node, f"{name}: the edge owns the transaction (core/db.py)")
            for node, name in source.references
            if name in _ENDING_NAMES or _ENDING_CALL.search(name)
        ]
        found += [
            source.at(node, f"{text.strip()!r}: the edge owns the transaction (core/db.py)")
            for node, text in source.strings
            if _ENDING.search(text)
        ]
    return found


def own_transactions(tree: Tree) -> list[str]:
    """Domains that open a unit of work instead of taking the one they are given.

    A worker may: it is an edge, and each message is a unit of work of its own.
    """
    found = []
    for source in tree:
        if source.path.startswith("chalicelib/core/") or source.path.endswith("/workers.py"):
            continue
        found += [
            source.at(node, f"{name}: a service takes the connection it is given")
            for node, name in source.references
            if name in _OWN_WORK
        ]
        found += [
            source.at(call, "a service takes the unit of work it is given, and makes none")
            for call in ast.walk(source.tree)
            if isinstance(call, ast.Call) and source.full_names.get(call.func) in _OWN_UNITS
        ]
    return found


def database_clocks(tree: Tree) -> list[str]:
    """SQL that asks the database what time it is, which nobody can move in a test."""
    found = []
    for source in tree:
        found += [
            source.at(node, f"{name}(): bind clock.now() as a parameter")
            for node, name in source.references
            if _CLOCK_CALL.search(name)
        ]
        found += [
            source.at(node, f"{told[0]!r} in SQL: bind clock.now() as a parameter")
            for node, text in source.strings
            if (told := CLOCK_TEXT.search(text))
        ]
    return found


def built_sql(tree: Tree) -> list[str]:
    """SQL put together from strings, which is how a caller's words become statements."""
    return [
        finding for source in tree if source.path not in _WEIGHED for finding in _built_sql(source)
    ]


def _built_sql(source: Source) -> list[str]:
    found = []
    for one in ast.walk(source.tree):
        if isinstance(one, ast.JoinedStr):
            parts: list[ast.expr] = [one]
        elif isinstance(one, ast.BinOp) and isinstance(one.op, (ast.Add, ast.Mod)):
            parts = [one.left, one.right]
        elif (
            isinstance(one, ast.Call)
            and isinstance(one.func, ast.Attribute)
            and one.func.attr in {"format", "format_map", "join"}
        ):
            parts = [one.func.value]
        elif isinstance(one, ast.Call) and source.full_names.get(one.func) in _TEXT_CALLS:
            if one.args and not isinstance(one.args[0], ast.Constant):
                found.append(source.at(one, "SQL text is a constant; values are parameters"))
            continue
        else:
            continue
        if any(_SQL.search(text) for part in parts if (text := literal(part))):
            found.append(source.at(one, "SQL is written by Core, never put together from strings"))
    return found
