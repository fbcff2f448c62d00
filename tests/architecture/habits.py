"""Habits that cost somebody dearly: naive time, weak chance, the wrong exceptions, empty excuses."""

import ast
import re

from tests.architecture.source import Tree

_CLOCK = "chalicelib/core/clock.py"
_OTHER_CLOCKS = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcfromtimestamp",
    "datetime.datetime.utcnow",
    "time.ctime",
    "time.gmtime",
    "time.localtime",
    "time.strftime",
    "time.time",
    "time.time_ns",
}
_FROM_SECONDS = {"datetime.datetime.fromtimestamp", "datetime.date.fromtimestamp"}

_CHANCE = {
    "chalicelib/core/db.py": "the jitter of pauses between tries is no secret",
}
_NO_IDS = {"uuid.uuid1", "uuid.uuid4"}

_DRIVER_ERRORS = {
    "DBAPIError",
    "DataError",
    "IntegrityError",
    "InterfaceError",
    "OperationalError",
    "ProgrammingError",
    "SQLAlchemyError",
}

_UNDONE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_NOQA = re.compile(
    r"#\s*noqa(?P<codes>:\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)?(?P<reason>.*)", re.IGNORECASE
)


def other_clocks(tree: Tree) -> list[str]:
    """Times that don't come from `core/clock.py`, which alone can be moved."""
    found = []
    for source in tree:
        if source.path == _CLOCK:
            continue
        found += [
            source.at(node, f"{name}: rules take clock.now(), signatures clock.real_time()")
            for node, name in source.references
            if name in _OTHER_CLOCKS
        ]
        found += [
            source.at(call, "without a time zone this is the machine's local time")
            for call in ast.walk(source.tree)
            if isinstance(call, ast.Call)
            and source.full_names.get(call.func) in _FROM_SECONDS
            and len(call.args) + len(call.keywords) < 2
        ]
    return found


def weak_chance(tree: Tree) -> list[str]:
    """`random` where it was not weighed, and ids that don't sort by time."""
    found = []
    for source in tree:
        found += [
            source.at(one.node, "what must not be guessed comes from core/ids.py or secrets")
            for one in source.imports
            if one.module == "random" and source.path not in _CHANCE
        ]
        found += [
            source.at(node, f"{name}: ids come from ids.uuid7()")
            for node, name in source.references
            if name in _NO_IDS
        ]
    return found


def driver_errors(tree: Tree) -> list[str]:
    """Exceptions caught by a driver's class: pg8000's classes are not what they seem."""
    return [
        source.at(handler, f"except {name}: errors are told apart by SQLSTATE (db.refused)")
        for source in tree
        for handler in ast.walk(source.tree)
        if isinstance(handler, ast.ExceptHandler) and handler.type is not None
        for one in ast.walk(handler.type)
        if isinstance(one, (ast.Name, ast.Attribute))
        and (name := source.full_names.get(one, "").rpartition(".")[2]) in _DRIVER_ERRORS
    ]


def unreasoned(tree: Tree) -> list[str]:
    """`global` without a word why, and linters silenced without one."""
    found = []
    for source in tree:
        silenced = {}
        for line, comment in source.comments:
            told = _NOQA.search(comment)
            if told is None:
                continue
            silenced[line] = told["codes"] or ""
            if not told["codes"] or len(told["reason"].split()) < 2:
                found.append(source.at(line, "noqa names its rule and says why"))
        found += [
            source.at(one, "global: say why after noqa: PLW0603")
            for one in ast.walk(source.tree)
            if isinstance(one, ast.Global) and "PLW0603" not in silenced.get(one.lineno, "")
        ]
    return found


def undone(tree: Tree) -> list[str]:
    """Notes of work that is not done: it belongs in an issue."""
    return [
        source.at(line, comment)
        for source in tree
        for line, comment in source.comments
        if _UNDONE.search(comment)
    ]
