"""The seed documents, and the maps that say where everything they name lives."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from pg8000 import native
from pg8000.exceptions import DatabaseError

from tests.architecture.listings import Line, read
from tests.architecture.source import ROOT

SEEDS = ROOT / "tests" / "seeds"
NUMBERS = {"marketplace": 0, "couples": 1, "dating": 2, "creators": 3, "gallery": 4}
"""Each product, and the number of the seed that describes it."""

_SQL = "sql: "
_FILE = re.compile(r"(?P<path>[\w/]+\.py):(?P<name>\w+)")
_NODE = re.compile(r"(?P<path>tests/[\w/]+\.py)::(?P<name>test_\w+)")


class Home(NamedTuple):
    """Where a column of a seed lives: `schema.table.column`, or `sql:` and a query that reads it."""

    product: str
    table: str
    column: str
    home: str
    note: str


class Rule(NamedTuple):
    """Where a numbered line of a seed is kept, and the tests that show it; `; ` between several."""

    id: str
    where: str
    test: str


def homes() -> list[Home]:
    """The map of columns."""
    return [Home(*line) for line in read(ROOT / "docs/seed_map.csv", Home._fields)]


def rules() -> list[Rule]:
    """The map of rules."""
    return [Rule(*line) for line in read(ROOT / "docs/seed_rules.csv", Rule._fields)]


def columns(product: str) -> list[Line]:
    """Every table and column a product's seed names, in its order."""
    named = read(SEEDS / "seed_columns.csv", ("product", "table", "column"))
    return [line for line in named if line[0] == product]


def numbered(product: str) -> set[str]:
    """The numbers of the keys, indexes, rules, flows, jobs, integrations and imports of a seed."""
    text = (SEEDS / "checklist.md").read_text(encoding="utf-8")
    return set(re.findall(rf"\b{NUMBERS[product]}-[KIRFJXM]\d\d\b", text))


def document(product: str) -> str:
    """A seed's own words, in lower case, without the lines and breaks of its drawings."""
    (path,) = SEEDS.glob(f"seed_{NUMBERS[product]:03}.txt")
    return re.sub(r"[\s│]+", "", path.read_text(encoding="utf-8")).lower()


def homeless(database: native.Connection, mapped: Iterable[Home], names: set[str]) -> list[str]:
    """Columns whose home is not in the database, or whose query doesn't run there."""
    found = []
    for one in mapped:
        place = ".".join(filter(None, [one.product, one.table, one.column]))
        if one.home.startswith(_SQL):
            if error := _failure(database, one.home.removeprefix(_SQL)):
                found.append(f"{place}: {error}")
        elif one.home not in names or one.home.count(".") != (2 if one.column else 1):
            found.append(f"{place}: there is no {one.home}")
    return found


def _failure(database: native.Connection, query: str) -> str | None:
    database.run("savepoint before")
    try:
        database.run(query)
    except DatabaseError as error:
        return str(error.args[0]["M"])
    finally:
        database.run("rollback to before")
    return None


def misplaced(kept: Iterable[Rule], names: set[str]) -> list[str]:
    """Rules said to be kept where there is nothing of that name."""
    return [
        f"{one.id}: there is no {place}"
        for one in kept
        for place in one.where.split("; ")
        if place not in names and not _is_defined(place)
    ]


def untested(kept: Iterable[Rule]) -> list[str]:
    """Rules whose test does not exist."""
    return [
        f"{one.id}: there is no {node}"
        for one in kept
        for node in one.test.split("; ")
        if not ((told := _NODE.fullmatch(node)) and told["name"] in _defined(told["path"]))
    ]


def _is_defined(place: str) -> bool:
    told = _FILE.fullmatch(place)
    return told is not None and told["name"] in _defined(told["path"])


@cache
def _defined(path: str) -> frozenset[str]:
    """The names a file defines at its top."""
    file = ROOT / path
    if not file.exists():
        return frozenset()
    return frozenset(_names(ast.parse(file.read_text(encoding="utf-8"))))


def _names(tree: ast.Module) -> Iterator[str]:
    for one in tree.body:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield one.name
        elif isinstance(one, (ast.Assign, ast.AnnAssign)):
            for target in one.targets if isinstance(one, ast.Assign) else [one.target]:
                if isinstance(target, ast.Name):
                    yield target.id
