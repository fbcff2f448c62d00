"""Mutations of statements: one that is gone, a refusal that is not made, a guard that is open."""

import ast
from collections.abc import Iterator

from tests.mutants.expressions import negated
from tests.mutants.text import Edit, Text

_ASSIGNING: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+=", "-="),
    ast.Sub: ("-=", "+="),
    ast.Mult: ("*=", "//="),
    ast.BitOr: ("|=", "&="),
    ast.BitAnd: ("&=", "|="),
}


def edits(text: Text, node: ast.AST) -> Iterator[Edit]:
    """Every mutation of one statement, not of what it holds."""
    match node:
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Delete() | ast.Return(value=None):
            yield text.replaced(node, "pass")
        case ast.Return(value=ast.expr() as value) | ast.Lambda(body=value) if not _is_nothing(
            value
        ):
            yield text.replaced(value, "None")
        case ast.Assign() if all(_is_part(target) for target in node.targets):
            yield text.replaced(node, "pass")
        case ast.AugAssign() if type(node.op) in _ASSIGNING:
            yield text.between(node.target, node.value, *_ASSIGNING[type(node.op)])
        case ast.Continue():
            yield text.replaced(node, "break")
        case ast.Break():
            yield text.replaced(node, "continue")
        case ast.If() | ast.While():
            yield from negated(text, node.test)
        case ast.With():
            yield from _open_guard(text, node)
        case ast.ExceptHandler():
            yield from _handler(text, node)
        case ast.FunctionDef() | ast.ClassDef():
            yield from _decorators(text, node)
        case _:
            return


def _is_part(target: ast.expr) -> bool:
    """A name that is never set fails by itself; an attribute or an item that isn't may not."""
    return isinstance(target, ast.Attribute | ast.Subscript)


def _is_nothing(node: ast.expr) -> bool:
    """None, or false: whoever asks takes the one for the other."""
    return isinstance(node, ast.Constant) and not node.value


def _open_guard(text: Text, node: ast.With) -> Iterator[Edit]:
    if any(item.optional_vars for item in node.items):
        return
    colon = text.text.index(":", text.end(node.items[-1].context_expr))
    yield Edit(text.start(node), colon, "if True")


def _handler(text: Text, node: ast.ExceptHandler) -> Iterator[Edit]:
    if isinstance(node.type, ast.Tuple):
        for kind in node.type.elts:
            yield text.without(kind)
    first, last = node.body[0], node.body[-1]
    if not (isinstance(first, ast.Raise) and first.exc is None):
        yield Edit(text.start(first), text.end(last), "raise")


def _decorators(text: Text, node: ast.FunctionDef | ast.ClassDef) -> Iterator[Edit]:
    """What is declared by a call is a rule; `@cache` and `@property` are how it is written."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call):
            at = text.text.rindex("@", 0, text.start(decorator))
            yield Edit(at, text.end(decorator), "")
