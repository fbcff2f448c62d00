"""The program's source, parsed once, in the form the checks of this folder read it."""

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Import(NamedTuple):
    """A name that a file imports: `name` from `module`, or `module` itself."""

    node: ast.Import | ast.ImportFrom
    module: str
    name: str | None
    alias: str
    in_function: bool


@dataclass(frozen=True)
class Source:
    """A Python file: its path from the repository's root, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed."""
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        """What the file is imported as; a package for its `__init__.py`."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def length(self) -> int:
        """How many lines it has."""
        return len(self.text.splitlines())

    @cached_property
    def imports(self) -> list[Import]:
        """Everything it imports, wherever in the file."""
        return list(_imports(self.tree, self.module, in_function=False))

    @cached_property
    def references(self) -> list[tuple[ast.expr, str]]:
        """Every name and attribute, as it is called where it was imported from.

        `datetime.now` after `from datetime import datetime` is `datetime.datetime.now`; what
        stands on something other than a name begins with `?`. Parameters hide imports.
        """
        known = {
            one.alias: f"{one.module}.{one.name}" if one.name else one.module
            for one in self.imports
        }
        return list(_references(self.tree, known))

    @cached_property
    def full_names(self) -> dict[ast.expr, str]:
        """The same, by node."""
        return dict(self.references)

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        """Line and text of every comment."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [(one.start[0], one.string) for one in tokens if one.type == tokenize.COMMENT]

    @cached_property
    def strings(self) -> list[tuple[ast.expr, str]]:
        """Every text and bytes literal but docstrings; an f-string as one, `{}` for its values."""
        documented = {id(one) for one in _docstrings(self.tree)}
        inner = {
            id(part)
            for one in ast.walk(self.tree)
            if isinstance(one, ast.JoinedStr)
            for part in ast.walk(one)
            if part is not one
        }
        return [
            (one, text)
            for one in ast.walk(self.tree)
            if isinstance(one, (ast.Constant, ast.JoinedStr))
            and id(one) not in documented | inner
            and (text := literal(one)) is not None
        ]

    def functions(self) -> Iterator[Function]:
        """Its functions, those within classes and functions included."""
        for one in ast.walk(self.tree):
            if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield one

    def at(self, place: ast.AST | int, what: str) -> str:
        """A finding: where it is, and what is wrong there."""
        line = place if isinstance(place, int) else getattr(place, "lineno", 1)
        return f"{self.path}:{line}: {what}"


Tree = Iterable[Source]


@cache
def load(*folders: str) -> tuple[Source, ...]:
    """The Python files of these folders, or the files of these names."""
    found = [
        path
        for folder in folders
        for path in ([ROOT / folder] if folder.endswith(".py") else (ROOT / folder).rglob("*.py"))
    ]
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(found)
    )


def program() -> tuple[Source, ...]:
    """What is deployed, but for `app.py`."""
    return load("chalicelib")


def everything() -> tuple[Source, ...]:
    """Every Python file of the repository."""
    return load("app.py", "chalicelib", "local", "deploy", "bench", "migrations", "tests")


def planted(files: Mapping[str, str]) -> tuple[Source, ...]:
    """Files that exist in a test alone, to show that a check turns red."""
    return tuple(Source(path, text) for path, text in files.items())


def report(found: Iterable[str]) -> str:
    """Findings as the message of a failed test, one a line."""
    return "\n" + "\n".join(found)


def literal(one: ast.expr) -> str | None:
    """The text of a literal, `{}` for what an f-string fills in; None for anything else."""
    if isinstance(one, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in one.values
        )
    if isinstance(one, ast.Constant) and isinstance(one.value, bytes):
        return one.value.decode("latin-1")
    return one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else None


def _imports(node: ast.AST, module: str, *, in_function: bool) -> Iterator[Import]:
    for one in ast.iter_child_nodes(node):
        if isinstance(one, ast.Import):
            for name in one.names:
                alias = name.asname or name.name.partition(".")[0]
                told = name.name if name.asname else alias
                yield Import(one, told, None, alias, in_function)
                if told != name.name:
                    yield Import(one, name.name, None, name.name, in_function)
        elif isinstance(one, ast.ImportFrom):
            above = ".".join(module.split(".")[: -one.level]) if one.level else ""
            origin = ".".join(filter(None, [above, one.module]))
            for name in one.names:
                yield Import(one, origin, name.name, name.asname or name.name, in_function)
        else:
            inside = in_function or isinstance(one, _SCOPES)
            yield from _imports(one, module, in_function=inside)


def _references(node: ast.AST, known: dict[str, str]) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, _SCOPES):
        given = node.args
        hidden = {
            one.arg
            for one in (
                *given.posonlyargs,
                *given.args,
                *given.kwonlyargs,
                *filter(None, (given.vararg, given.kwarg)),
            )
        }
        inside = {name: full for name, full in known.items() if name not in hidden}
    else:
        inside = known
    for one in ast.iter_child_nodes(node):
        if isinstance(one, (ast.Name, ast.Attribute)):
            yield one, _full_name(one, inside)
        yield from _references(one, inside)


def _full_name(node: ast.expr, known: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{_full_name(node.value, known)}.{node.attr}"
    return "?"


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    """Every literal that stands as a statement of its own: docstrings, also of attributes."""
    for one in ast.walk(tree):
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant):
            yield one.value
