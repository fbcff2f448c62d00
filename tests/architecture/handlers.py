"""Handlers as they are written: their names, their place, and bodies that decide nothing."""

import ast
from collections import defaultdict
from dataclasses import dataclass

from tests.architecture.source import Function, Source, Tree

DECORATORS = {
    "endpoint": "routes",
    "job": "jobs",
    "worker": "workers",
    "trigger": "triggers",
    "socket": "app",
}
"""The five ways in, and the file each is written in."""

MOST_STATEMENTS = 5

_DECIDES = (ast.If, ast.IfExp, ast.Match, ast.Try, ast.TryStar, ast.While, ast.For, ast.AsyncFor)


@dataclass(frozen=True)
class Handler:
    """A function under one of the five decorators."""

    source: Source
    function: Function
    decorator: ast.Call
    kind: str

    @property
    def name(self) -> str:
        """What its Lambda is called."""
        if self.kind == "trigger":
            told = [*self.decorator.args[1:], *(one.value for one in self.decorator.keywords)]
            return str(told[0].value) if told and isinstance(told[0], ast.Constant) else "?"
        domain = "_".join(self.source.module.removeprefix("chalicelib.").split(".")[1:-1])
        return f"{domain or 'core'}_{self.function.name}"

    @property
    def queue(self) -> str:
        """The queue a worker takes from."""
        (told,) = (one for one in self.decorator.args[1:] if isinstance(one, ast.Constant))
        return str(told.value)


def handlers(tree: Tree) -> list[Handler]:
    """Every handler."""
    return [
        Handler(source, function, decorator, kind)
        for source in tree
        for function in source.functions()
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        and (name := source.full_names.get(decorator.func, "")).startswith("chalicelib.core.")
        and (kind := name.rpartition(".")[2]) in DECORATORS
    ]


def of_one_name(tree: Tree) -> list[str]:
    """Handlers that would overwrite each other's Lambda."""
    named: dict[str, list[Handler]] = defaultdict(list)
    for one in handlers(tree):
        named[one.name].append(one)
    return [
        one.source.at(one.function, f"{name} is the name of {len(several)} handlers")
        for name, several in sorted(named.items())
        for one in several
        if len(several) > 1
    ]


def out_of_place(tree: Tree) -> list[str]:
    """Handlers in files that are not searched for them."""
    return [
        one.source.at(one.function, f"a {one.kind} is written in {DECORATORS[one.kind]}.py")
        for one in handlers(tree)
        if not one.source.path.endswith(f"{DECORATORS[one.kind]}.py")
        and not one.source.path.startswith("chalicelib/core/")
    ]


def deciding(tree: Tree) -> list[str]:
    """Handlers that do more than hand over."""
    found = []
    for one in handlers(tree):
        body = one.function.body
        body = body[1:] if ast.get_docstring(one.function) else body
        inner = [node for statement in body for node in ast.walk(statement)]
        if any(isinstance(node, _DECIDES) for node in inner):
            found.append(one.source.at(one.function, f"{one.name} decides: let the service"))
        if not 1 <= sum(isinstance(node, ast.stmt) for node in inner) <= MOST_STATEMENTS:
            found.append(
                one.source.at(one.function, f"{one.name}: one to {MOST_STATEMENTS} statements")
            )
    return found


def undescribed(tree: Tree) -> list[str]:
    """Handlers without a sentence that says what they are for."""
    return [
        one.source.at(one.function, f"{one.name} has no sentence that says what it is for")
        for one in handlers(tree)
        if not (ast.get_docstring(one.function) or "").partition("\n\n")[0].endswith(".")
    ]
