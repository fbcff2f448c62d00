"""A file's text and tree, and edits of the text where a node stands."""

import ast
import re
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class Edit:
    """Other text in place of what stands from `start` to `end`."""

    start: int
    end: int
    text: str


class Text:
    """The text of a Python file, parsed; nodes are found in it by their place."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        lines = text.splitlines(keepends=True)
        self._lines = [line.encode() for line in lines]
        self._starts = [0, *accumulate(map(len, lines))]

    def start(self, node: ast.AST) -> int:
        """Where a node begins."""
        return self._offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        """Where a node ends."""
        return self._offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def of(self, node: ast.AST) -> str:
        """What a node looks like."""
        return self.text[self.start(node) : self.end(node)]

    def line(self, offset: int) -> int:
        """The number of the line in which an offset lies."""
        return self.text.count("\n", 0, offset) + 1

    def edited(self, edit: Edit) -> str:
        """The whole text with an edit made."""
        return self.text[: edit.start] + edit.text + self.text[edit.end :]

    def replaced(self, node: ast.AST, text: str) -> Edit:
        """Other text in place of a node."""
        return Edit(self.start(node), self.end(node), text)

    def means_else(self, statement: ast.stmt, edit: Edit) -> bool:
        """Whether a statement of the module is another one with the edit; SyntaxError if it is none."""
        decorators = getattr(statement, "decorator_list", [])
        start = self._starts[min(one.lineno for one in (statement, *decorators)) - 1]
        end = self.end(statement)
        after = self.text[start : edit.start] + edit.text + self.text[edit.end : end]
        (parsed,) = ast.parse(after).body
        return ast.dump(parsed) != ast.dump(statement)

    def between(self, left: ast.AST, right: ast.AST, old: str, new: str) -> Edit:
        """Another operator between two operands."""
        start, end = self.end(left), self.start(right)
        # A comment in between may hold the same letters.
        gap = re.sub(r"#.*", lambda found: " " * len(found[0]), self.text[start:end])
        found = re.search(r"\s+".join(map(re.escape, old.split())), gap)
        if found is None:
            raise ValueError(f"no {old} in {gap!r}")
        return Edit(start + found.start(), start + found.end(), new)

    def without(self, node: ast.AST) -> Edit:
        """A list, call or tuple without this element, and without its comma."""
        start, end = self.start(node), self.end(node)
        while self._before(start) == "(" and self._after(end) == ")" and self._is_doubled(start):
            start, end = self.text.rindex("(", 0, start), self.text.index(")", end) + 1
        if self._after(end) == ",":
            end = self.text.index(",", end) + 1
        elif self._before(start) == ",":
            start = self.text.rindex(",", 0, start)
        return Edit(start, end, "")

    def without_link(self, call: ast.Call) -> Edit:
        """`a.b` in place of `a.b.link(…)`."""
        assert isinstance(call.func, ast.Attribute)
        end = self.end(call.func) - len(call.func.attr)
        dot = self.text.rindex(".", 0, end)
        start = len(self.text[:dot].rstrip())
        return Edit(start, self.end(call), "")

    def _before(self, offset: int) -> str:
        return self.text[:offset].rstrip()[-1:]

    def _after(self, offset: int) -> str:
        return self.text[offset:].lstrip()[:1]

    def _is_doubled(self, start: int) -> bool:
        """Whether the parenthesis before is the node's own, not the one of the call."""
        opening = self.text.rindex("(", 0, start)
        return self._before(opening) in {"(", ","}

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1][:column].decode())
