"""Which route a path belongs to: a walk down a tree of its parts, however many routes there are."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class Match(NamedTuple):
    """A route (`/v1/posts/{post_id}`) and what stands in its place holders, still encoded."""

    route: str
    parameters: dict[str, str]


@dataclass
class _Node:
    """What may follow a part of a path. `any` is the branch under a place holder."""

    named: dict[str, "_Node"] = field(default_factory=dict)
    any: "_Node | None" = None
    route: str | None = None


class Routes:
    """Finds routes. As at API Gateway a part that is named goes before a place holder."""

    def __init__(self, routes: Iterable[str]) -> None:
        self._root = _Node()
        for route in routes:
            node = self._root
            for part in _parts(route):
                if part.startswith("{"):
                    node.any = node.any or _Node()
                    node = node.any
                else:
                    node = node.named.setdefault(part, _Node())
            node.route = route

    def match(self, path: str) -> Match | None:
        """The route of a path; a slash at its end makes no difference."""
        parts = _parts(path)
        route = _find(self._root, parts, 0)
        if route is None:
            return None
        pairs = zip(_parts(route), parts, strict=True)
        return Match(route, {name[1:-1]: value for name, value in pairs if name.startswith("{")})


def _find(node: _Node, parts: list[str], at: int) -> str | None:
    if at == len(parts):
        return node.route
    named = node.named.get(parts[at])
    found = _find(named, parts, at + 1) if named else None
    if found is None and node.any is not None and parts[at]:
        found = _find(node.any, parts, at + 1)
    return found


def _parts(path: str) -> list[str]:
    return path[1:].removesuffix("/").split("/")
