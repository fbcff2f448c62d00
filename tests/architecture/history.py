"""The migrations: one line of them, each safe to run while the code before it still serves."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.architecture.source import Source, literal

_NAME = re.compile(r"(?P<at>\d{14})_(?P<what>[a-z0-9]+(_[a-z0-9]+)*)")
_SAFE = re.compile(r"--\s*safe:\s*(?P<reason>.*)", re.IGNORECASE)
_CREATED = re.compile(r"create (?:unlogged )?table (?:if not exists )?(?P<table>[\w.]+)")
_QUOTED_BODY = re.compile(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)

_ON_TABLE = r"alter table (?:only )?(?:if exists )?(?P<table>[\w.]+) "
_UNSAFE = [
    (
        re.compile(_ON_TABLE + r".*\balter (?:column )?\w+ (?:set data )?type\b"),
        "changes a type, which rewrites the table and breaks prepared statements",
    ),
    (
        re.compile(_ON_TABLE + r".*\balter (?:column )?\w+ set not null\b"),
        "set not null reads the table under a lock; validate a check first",
    ),
    (
        re.compile(
            _ON_TABLE + r".*\badd (?:column )?(?!constraint\b|check\b|foreign\b|unique\b|primary\b)"
            r"\w+ (?:(?!\bdefault\b)[^,(]|\([^)]*\))*\bnot null\b(?![^,]*\bdefault\b)"
        ),
        "adds a column that old code doesn't fill: give it a default",
    ),
    (
        re.compile(
            _ON_TABLE + r".*\badd (?:constraint \w+ )?(?:check|foreign key)\b(?!.*\bnot valid\b)"
        ),
        "a new constraint is added `not valid`, and validated by a later migration",
    ),
    (
        re.compile(
            _ON_TABLE + r".*\badd (?:constraint \w+ )?(?:unique|primary key|exclude)\b(?! using)"
        ),
        "builds an index under a lock: create it concurrently, then add it `using index`",
    ),
    (
        re.compile(_ON_TABLE + r".*\b(?:drop (?:column )?(?!constraint|not|default)\w+|rename)\b"),
        "takes away a name that old code uses: a release later",
    ),
    (
        re.compile(
            r"create (?:unique )?index (?!concurrently\b).*?\bon (?:only )?(?P<table>[\w.]+)"
        ),
        "builds an index under a lock: concurrently, in an autocommit block",
    ),
    (
        re.compile(r"drop table (?:if exists )?(?P<table>[\w.]+)"),
        "takes away a table that old code uses: a release later",
    ),
    (
        re.compile(
            r"(?:truncate(?: table)?|lock(?: table)?|cluster|vacuum full) (?P<table>[\w.]+)"
        ),
        "keeps everybody else out of the table",
    ),
]
"""What must not happen to a table that was there before; `-- safe: why` in the SQL excuses it."""

_ADDED = re.compile(r"\badd constraint (?P<name>\w+)")
_VALIDATED = re.compile(r"\bvalidate constraint (?P<name>\w+)")
_OPERATIONS = {"op.execute", "op.get_context", "op.get_context().autocommit_block"}


@dataclass(frozen=True)
class Migration:
    """A migration file: what it calls itself, what it follows, and its SQL."""

    source: Source
    revision: str
    follows: str | None

    @staticmethod
    def of(source: Source) -> "Migration":
        """Read what a file says of itself."""
        told = {
            target.id: one.value
            for one in source.tree.body
            if isinstance(one, ast.Assign)
            for target in one.targets
            if isinstance(target, ast.Name)
        }
        follows = told.get("down_revision")
        return Migration(
            source,
            literal(told["revision"]) or "",
            None if follows is None else literal(follows),
        )

    def sql(self) -> Iterator[tuple[ast.Call, str]]:
        """The texts it executes."""
        for one in ast.walk(self.source.tree):
            if isinstance(one, ast.Call) and _called(one) == "op.execute" and one.args:
                yield one, literal(one.args[0]) or ""


def crooked(migrations: Sequence[Migration]) -> list[str]:
    """Where the history is not one line of well-named files."""
    found = []
    ordered = sorted(migrations, key=lambda one: one.revision)
    for before, one in zip([None, *ordered], ordered, strict=False):
        expected = before.revision if before else None
        if one.follows != expected:
            found.append(one.source.at(1, f"follows {one.follows}, and should follow {expected}"))
        name = one.source.path.rpartition("/")[2].removesuffix(".py")
        if name != one.revision:
            found.append(one.source.at(1, f"its file is called {name}, itself {one.revision}"))
        if not _well_named(one.revision):
            found.append(one.source.at(1, "a migration is called YYYYMMDDHHMMSS_what"))
    return found


def _well_named(revision: str) -> bool:
    told = _NAME.fullmatch(revision)
    if told is None:
        return False
    try:
        return datetime.strptime(told["at"], "%Y%m%d%H%M%S").replace(tzinfo=UTC).year > 0
    except ValueError:
        return False


def unsafe(migrations: Sequence[Migration]) -> list[str]:
    """Statements that old code, or whoever waits for a lock, would not survive."""
    found = []
    known: set[str] = set()
    for one in sorted(migrations, key=lambda migration: migration.revision):
        texts = list(one.sql())
        statements = [(call, text) for call, sql in texts for text in _statements(sql)]
        excused = {call for call, sql in texts if _excuse(sql)}
        added = {told["name"] for _, text in statements for told in _ADDED.finditer(text)}
        created = {told["table"] for _, text in statements if (told := _CREATED.match(text))}
        for call, text in statements:
            if call in excused:
                continue
            found += [
                one.source.at(call, f"{told['table']}: {why}")
                for pattern, why in _UNSAFE
                if (told := pattern.match(text)) and told["table"] in known - created
            ]
            if (told := _VALIDATED.search(text)) and told["name"] in added:
                found.append(one.source.at(call, f"{told['name']}: validated by a later migration"))
        known |= created
    return found


def unreadable(migrations: Sequence[Migration]) -> list[str]:
    """Operations that are not plain SQL, so that nobody can check them; excuses without words."""
    found = []
    for one in migrations:
        for call in ast.walk(one.source.tree):
            if not isinstance(call, ast.Call):
                continue
            name = _called(call)
            if name.startswith("op.") and name not in _OPERATIONS:
                found.append(one.source.at(call, f"{name}: write the SQL, with op.execute"))
            if name == "op.execute" and not (call.args and isinstance(call.args[0], ast.Constant)):
                found.append(one.source.at(call, "SQL is one literal text"))
        found += [
            one.source.at(call, "`-- safe:` says why, in a few words")
            for call, sql in one.sql()
            if _SAFE.search(sql) and not _excuse(sql)
        ]
        if re.search(r"\b(lock_timeout|statement_timeout)\b", one.source.text):
            found.append(one.source.at(1, "timeouts are set by env.py, for every migration"))
    return found


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def _excuse(sql: str) -> bool:
    told = _SAFE.search(sql)
    return told is not None and len(told["reason"].split()) > 2


def _statements(sql: str) -> list[str]:
    """The statements of a text in lower case, one line each, without comments and bodies."""
    plain = re.sub(r"--[^\n]*", "", _QUOTED_BODY.sub("$$", sql))
    return [" ".join(one.split()).lower() for one in plain.split(";") if one.strip()]
