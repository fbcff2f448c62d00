"""Stripe's form encoding: `line_items[0][price_data][currency]=brl` becomes nested mappings."""

import re
from urllib.parse import parse_qsl

from local.stripe.errors import invalid

Tree = dict[str, "str | Tree"]

MOST_FIELDS = 2_000
DEEPEST = 12
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_BRACKET = re.compile(r"\[([^\[\]]*)\]")


def decode(encoded: str) -> Tree:
    """Read a query string or a form body.

    Lists stay mappings from their index to their item: only the parameter's type tells a list
    from a mapping with numbers for keys. A field given twice keeps its last value.

    Raises:
        StripeError: 400, when the encoding can't be read.
    """
    try:
        fields = parse_qsl(
            encoded, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise invalid(f"Invalid form encoding: {error}") from error
    tree: Tree = {}
    for name, value in fields:
        _place(tree, name, value)
    return tree


def _place(tree: Tree, name: str, value: str) -> None:
    """Put one field where its name says."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise invalid(f"Invalid parameter name: {name}", param=name)
    path = [match[1], *_BRACKET.findall(match[2])]
    if len(path) > DEEPEST:
        raise invalid(f"Parameters may be nested {DEEPEST} levels deep.", param=name)
    for step in path[:-1]:
        inner = tree.setdefault(step or str(len(tree)), {})
        if isinstance(inner, str):
            raise invalid(f"Invalid parameter: {name} is both a value and an object.", param=name)
        tree = inner
    last = path[-1] or str(len(tree))
    if isinstance(tree.get(last), dict):
        raise invalid(f"Invalid parameter: {name} is both a value and an object.", param=name)
    tree[last] = value
