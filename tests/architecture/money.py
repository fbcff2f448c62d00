"""Money is integers: no float comes near it, in code or in a column."""

import ast
import re

from tests.architecture.source import Source, Tree

PLACES = (
    "chalicelib/core/money.py",
    "chalicelib/kernel/billing/",
    "chalicelib/products/creators/",
    "chalicelib/products/gallery/",
    "chalicelib/products/marketplace/",
)
"""Where amounts are reckoned."""

_FLOAT_TYPES = {
    f"sqlalchemy.{one}"
    for one in ("DOUBLE", "DOUBLE_PRECISION", "Double", "FLOAT", "Float", "REAL")
}
_SECONDS = re.compile(r"(^|_)(deadline|ends|pause|seconds|timeout)$", re.IGNORECASE)


def floats(tree: Tree) -> list[str]:
    """Floats where money is: in annotations, calls, literals, columns, and what `/` makes."""
    return [
        source.at(node, what)
        for source in tree
        if source.path.startswith(PLACES)
        for node, what in _floats(source)
    ]


def _floats(source: Source) -> list[tuple[ast.AST, str]]:
    found: list[tuple[ast.AST, str]] = [
        (node, "float: amounts are integer minor units")
        for node, name in source.references
        if name == "float" or name in _FLOAT_TYPES
    ]
    for one in ast.walk(source.tree):
        if isinstance(one, ast.Constant) and isinstance(one.value, (float, complex)):
            found.append((one, f"{one.value}: amounts are integer minor units"))
        if isinstance(one, (ast.BinOp, ast.AugAssign)) and isinstance(one.op, ast.Div):
            found.append((one, "/ makes a float: say with // which way it is rounded"))
    seconds = _seconds(source)
    return [(node, what) for node, what in found if node not in seconds]


def _seconds(source: Source) -> set[ast.AST]:
    """What belongs to a name that says it is a time to wait, which may be a fraction."""
    found: set[ast.AST] = set()
    for one in ast.walk(source.tree):
        if isinstance(one, ast.arg):
            names, parts = [one.arg], [one.annotation]
        elif isinstance(one, ast.AnnAssign):
            names, parts = [ast.unparse(one.target)], [one.annotation, one.value]
        elif isinstance(one, ast.Assign):
            names, parts = [ast.unparse(target) for target in one.targets], [one.value]
        else:
            continue
        if all(_SECONDS.search(name) for name in names):
            found |= {node for part in parts if part for node in ast.walk(part)}
    return found
