"""What a mutant is, and every mutant of a file.

The statements of this program are made when their module is loaded, and the rules of a handler
stand in its decorator: so everything is mutated, not the bodies of functions alone.
"""

import ast
import difflib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutants import expressions, statements
from tests.mutants.text import Edit, Text

ROOT = Path(__file__).parents[2]

_TYPES = {
    "Annotated", "Callable", "Iterator", "Json", "Literal", "Page", "Prelude", "Statement", "dict",
    "frozenset", "list", "set", "tuple", "type",
}  # fmt: skip
# What they are given are names that a statement has for its own parts, or for its parameters.
_NAMING = {"TypeVar", "alias", "bindparam", "cte", "lateral", "subquery"}
# Whether there is a row is asked by this; what stands in it is nobody's.
_A_ROW = "literal(1)"
_LISTS_OF_NAMES = {"__all__", "__slots__"}
_PROSE = {"description", "examples"}


@dataclass(frozen=True)
class Mutant:
    """A file with one thing changed. What and where tells it apart, also when lines move."""

    path: str
    place: str
    was: str
    becomes: str
    line: int
    text: str

    @property
    def name(self) -> tuple[str, str, str, str]:
        """What tells it apart."""
        return self.path, self.place, self.was, self.becomes

    @property
    def module(self) -> str:
        """What the file is imported as."""
        return self.path.removesuffix(".py").replace("/", ".")


def mutants_of(path: str, root: Path = ROOT) -> list[Mutant]:
    """Every mutant of a file, in its order."""
    text = Text((root / path).read_text(encoding="utf-8"))
    made: list[Mutant] = []
    seen = {text.text}
    names: Counter[tuple[str, ...]] = Counter()
    for place, edit in _edits(text, validates=not path.endswith("/queries.py")):
        changed = text.edited(edit)
        if changed in seen:
            continue
        seen.add(changed)
        was, becomes = _lines(text.text, changed)
        names[place, was, becomes] += 1
        number = names[place, was, becomes]
        where = place if number == 1 else f"{place} ({number})"
        made.append(Mutant(path, where, was, becomes, text.line(edit.start), changed))
    return made


def difference(mutant: Mutant, root: Path = ROOT) -> str:
    """What is changed, as a diff."""
    before = (root / mutant.path).read_text(encoding="utf-8").splitlines()
    after = mutant.text.splitlines()
    lines = difflib.unified_diff(before, after, mutant.path, mutant.place, n=2, lineterm="")
    return "\n".join(lines)


def _lines(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, each side in one."""
    old, new = before.splitlines(), after.splitlines()
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1

    def joined(lines: list[str]) -> str:
        return " ".join(stripped for line in lines if (stripped := line.strip()))

    return joined(old[start : len(old) - end]), joined(new[start : len(new) - end])


def _edits(text: Text, *, validates: bool) -> Iterator[tuple[str, Edit]]:
    for statement in _spoken(text.tree.body):
        if _is_choice(statement) and not validates:
            continue
        found: list[tuple[str, Edit]] = []
        for node, where in _walk(statement, _name(statement)):
            edits = (*statements.edits(text, node), *expressions.edits(text, node))
            found += [(where, edit) for edit in edits if text.means_else(statement, edit)]
        yield from sorted(found, key=lambda one: (one[1].start, one[1].end))


def _is_choice(statement: ast.stmt) -> bool:
    """A name for some words: in schemas a rule, next to statements a type for the checker alone."""
    return (
        isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Subscript)
        and expressions.name_of(statement.value.value) == "Literal"
    )


def _name(statement: ast.stmt) -> str:
    """What a statement of a module defines."""
    match statement:
        case ast.FunctionDef() | ast.ClassDef():
            return statement.name
        case ast.Assign(targets=[ast.Name(id=name), *_]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return "module"


def _walk(node: ast.AST, place: str) -> Iterator[tuple[ast.AST, str]]:
    """A node and all in it that may be mutated, with where it is."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.arguments) and not _defaults(node):
        return
    yield node, place
    for child in _children(node):
        yield from _walk(child, _within(node, place, child))


def _within(node: ast.AST, place: str, child: ast.AST) -> str:
    """Where a child is: what is defined within a class or a function has its name there."""
    match node, child:
        case (ast.ClassDef() | ast.FunctionDef(), ast.ClassDef() | ast.FunctionDef()):
            return f"{place}.{_name(child)}"
        case (ast.ClassDef(), ast.Assign() | ast.AnnAssign()):
            return f"{place}.{_name(child)}"
        case _:
            return place


def _defaults(node: ast.AST) -> list[ast.expr]:
    if not isinstance(node, ast.arguments):
        return []
    return [*node.defaults, *(one for one in node.kw_defaults if one is not None)]


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What may be mutated in a node: no types, no words for people, no names for its own parts."""
    match node:
        case ast.arguments():
            yield from _defaults(node)
        case ast.AnnAssign():
            yield from _called_in(node.annotation)
            if node.value is not None:
                yield from _value(node.value)
        case ast.Assign(targets=[ast.Name(id=name)]) if name in _LISTS_OF_NAMES:
            return
        case ast.Assign():
            yield from _value(node.value)
        case ast.FunctionDef():
            yield from (*node.decorator_list, node.args, *_spoken(node.body))
        case ast.ClassDef():
            yield from (*node.decorator_list, *_spoken(node.body))
        case ast.Call():
            yield from _arguments(node)
        case ast.JoinedStr():
            return
        case ast.Raise():
            yield from _refusal(node)
        case _:
            yield from ast.iter_child_nodes(node)


def _value(node: ast.expr) -> Iterator[ast.AST]:
    is_type = isinstance(node, ast.Subscript) and expressions.name_of(node.value) in _TYPES
    yield from _called_in(node) if is_type else [node]


def _called_in(annotation: ast.expr) -> Iterator[ast.AST]:
    """What an annotation does when the module is loaded: bounds of a field, words of a choice."""
    if isinstance(annotation, ast.Call):
        yield annotation
    elif isinstance(annotation, ast.Subscript) and expressions.name_of(annotation.value) == (
        "Literal"
    ):
        choices = annotation.slice
        yield from choices.elts if isinstance(choices, ast.Tuple) else [choices]
    else:
        for child in ast.iter_child_nodes(annotation):
            if isinstance(child, ast.expr):
                yield from _called_in(child)


def _spoken(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements without the words that stand among them."""
    for one in body:
        if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)):
            yield one


def _arguments(node: ast.Call) -> Iterator[ast.AST]:
    yield node.func
    name = expressions.name_of(node.func)
    if name not in _NAMING and ast.unparse(node) != _A_ROW:
        columns = node.args[:1] if name == "from_select" else []
        yield from (one for one in node.args if one not in columns)
    for keyword in node.keywords:
        if keyword.arg not in _PROSE and keyword.arg != "type_":
            yield keyword.value


def _refusal(node: ast.Raise) -> Iterator[ast.AST]:
    """What is raised, but not in which words."""
    for child in (node.exc, node.cause):
        if not isinstance(child, ast.Call):
            if child is not None:
                yield child
            continue
        for argument in (*child.args, *(keyword.value for keyword in child.keywords)):
            words = isinstance(argument, ast.JoinedStr) or (
                isinstance(argument, ast.Constant) and " " in str(argument.value)
            )
            if not words:
                yield argument
