"""Mutations of expressions: one edit each, small enough that a test might not notice."""

import ast
from collections.abc import Iterator

from tests.mutants.text import Edit, Text

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "//"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
_TWINS = {
    "all": "any",
    "and_": "or_",
    "false": "true",
    "is_": "is_not",
    "lower": "upper",
    "lstrip": "rstrip",
    "max": "min",
    "on_conflict_do_nothing": "",
    "partition": "rpartition",
    "startswith": "endswith",
}
_SWAPPED = _TWINS | {twin: name for name, twin in _TWINS.items() if twin}
# What a chain does without: a condition, an order, a bound, a lock.
_LINKS = {
    "add_cte", "cast", "desc", "distinct", "limit", "lower", "lstrip", "on_conflict_do_nothing",
    "order_by", "removeprefix", "removesuffix", "rstrip", "strip", "upper", "where",
    "with_for_update",
}  # fmt: skip
_TAKES_CONDITIONS = {"and_", "or_", "order_by", "where"}
_LEAVES_OUT = {"bound", "description", "examples", "type_"}
"""What says a type or is shown to readers of the documentation."""


def edits(text: Text, node: ast.AST) -> Iterator[Edit]:
    """Every mutation of one expression, not of those within."""
    match node:
        case ast.Compare():
            yield from _comparison(text, node)
        case ast.BoolOp():
            yield from _boolean(text, node)
        case ast.BinOp():
            yield from _arithmetic(text, node)
        case ast.UnaryOp():
            yield text.replaced(node, f"({text.of(node.operand)})")
        case ast.Constant():
            yield from _constant(text, node)
        case ast.JoinedStr():
            yield from _formatted(text, node)
        case ast.Call():
            yield from _call(text, node)
        case ast.IfExp():
            yield from negated(text, node.test)
        case ast.comprehension():
            for test in node.ifs:
                yield from negated(text, test)
        case ast.Tuple():
            yield from _tuple(text, node)
        case _:
            return


def negated(text: Text, test: ast.expr) -> Iterator[Edit]:
    """The other branch, unless the test's own operator says so already."""
    if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
        yield text.replaced(test, f"(not ({text.of(test)}))")


def _comparison(text: Text, node: ast.Compare) -> Iterator[Edit]:
    operands = [node.left, *node.comparators]
    for left, operator, right in zip(operands, node.ops, node.comparators, strict=False):
        yield text.between(left, right, *_COMPARISONS[type(operator)])


def _boolean(text: Text, node: ast.BoolOp) -> Iterator[Edit]:
    old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    for left, right in zip(node.values, node.values[1:], strict=False):
        yield text.between(left, right, old, new)
    for dropped in node.values:
        kept = f" {old} ".join(f"({text.of(one)})" for one in node.values if one is not dropped)
        yield text.replaced(node, kept if len(node.values) == 2 else f"({kept})")


def _arithmetic(text: Text, node: ast.BinOp) -> Iterator[Edit]:
    yield text.between(node.left, node.right, *_ARITHMETIC[type(node.op)])
    if isinstance(node.op, ast.BitAnd | ast.BitOr):
        for kept in (node.left, node.right):
            yield text.replaced(node, f"({text.of(kept)})")


def _constant(text: Text, node: ast.Constant) -> Iterator[Edit]:
    match node.value:
        case bool():
            yield text.replaced(node, str(not node.value))
        case int() | float():
            yield text.replaced(node, str(node.value + 1))
        case str():
            yield text.replaced(node, repr(f"XX{node.value}XX"))
        case bytes():
            yield text.replaced(node, repr(b"XX" + node.value + b"XX"))
        case _:
            return


def _formatted(text: Text, node: ast.JoinedStr) -> Iterator[Edit]:
    for dropped in node.values:
        kept = ast.JoinedStr([one for one in node.values if one is not dropped])
        yield text.replaced(node, ast.unparse(kept))


def _call(text: Text, node: ast.Call) -> Iterator[Edit]:
    name = name_of(node.func)
    if _SWAPPED.get(name):
        start = text.end(node.func) - len(name)
        yield Edit(start, text.end(node.func), _SWAPPED[name])
    if isinstance(node.func, ast.Attribute) and name in _LINKS:
        yield text.without_link(node)
    if name in _TAKES_CONDITIONS and len(node.args) > 1:
        for argument in node.args:
            yield text.without(argument)
    if not _runs_statement(node):
        for keyword in node.keywords:
            if keyword.arg is not None and keyword.arg not in _LEAVES_OUT:
                yield text.without(keyword)
    for keyword in node.keywords:
        if keyword.arg == "set_" and isinstance(keyword.value, ast.Dict):
            yield from _entries(text, keyword.value)


def _entries(text: Text, node: ast.Dict) -> Iterator[Edit]:
    for key, value in zip(node.keys, node.values, strict=True):
        if key is not None and len(node.keys) > 1:
            after = text.without(value)
            yield Edit(text.start(key), after.end, "")


def _tuple(text: Text, node: ast.Tuple) -> Iterator[Edit]:
    """A list of conditions, or of exceptions, without one of them."""
    for element in node.elts:
        asks = isinstance(element, ast.Compare) or (
            isinstance(element, ast.Call) and name_of(element.func) in {"is_", "is_not"}
        )
        if asks and len(node.elts) > 1 and isinstance(node.ctx, ast.Load):
            yield text.without(element)


def _runs_statement(node: ast.Call) -> bool:
    """All parameters of a statement are demanded: leaving one out shows nothing."""
    first = node.args[0] if node.args else None
    name = first.attr if isinstance(first, ast.Attribute) else getattr(first, "id", "")
    return bool(name) and name.isupper()


def name_of(function: ast.expr) -> str:
    """What a call calls, without where that comes from."""
    match function:
        case ast.Name():
            return function.id
        case ast.Attribute():
            return function.attr
        case _:
            return ""
