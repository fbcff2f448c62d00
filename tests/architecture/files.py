"""Where files stand, what they are called, and how long they are."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from tests.architecture.source import Tree

HOUSE = {"__init__.py", "registry.py", "core", "kernel", "products"}
KERNEL = {
    "accounts", "analytics", "assistant", "billing", "media", "messaging", "moderation",
    "notifications", "operations",
}  # fmt: skip
PRODUCTS = {"couples", "creators", "dating", "gallery", "marketplace"}
KINDS = {
    "routes", "schemas", "service", "queries", "tables", "errors", "events", "workers", "jobs",
    "subscribers", "gateway", "triggers",
}  # fmt: skip
TEMPLATES = "templates"

TOO_LONG = 500
LONG = 300

_NO_NOUN = {"base", "common", "helpers", "lib", "misc", "shared", "util", "utils"}
_NOUN = re.compile(r"[a-z]+(_[a-z]+)*")


def misplaced(paths: Iterable[str]) -> list[str]:
    """Files of `chalicelib` that stand where the house has no room, or under another name."""
    found = []
    for path in sorted(paths):
        parts = PurePosixPath(path).parts
        why = _misplaced_in_house(parts[1:]) if parts[0] == "chalicelib" else None
        if why:
            found.append(f"{path}: {why}")
    return found


def meaningless(paths: Iterable[str]) -> list[str]:
    """Python files and folders whose name says nothing, or only counts."""
    found = set()
    for path in paths:
        for part in PurePosixPath(path).with_suffix("").parts:
            if part in _NO_NOUN or re.search(r"(^|_)(part|new|old)?\d+$", part):
                found.add(f"{path}: {part!r} is no noun: name it after what it holds")
    return sorted(found)


def spoken_packages(tree: Tree) -> list[str]:
    """Packages whose `__init__.py` has something in it."""
    return [
        f"{one.path}: stays empty, so that a Lambda loads what it asks for"
        for one in tree
        if one.path.endswith("/__init__.py") and one.text.strip()
    ]


def longer_than(limit: int, tree: Tree) -> dict[str, int]:
    """The files with more lines than `limit`, and how many they have."""
    return {one.path: one.length for one in tree if one.length > limit}


def _misplaced_in_house(parts: tuple[str, ...]) -> str | None:
    first, *rest = parts
    if first not in HOUSE:
        return f"the house has {', '.join(sorted(HOUSE))}"
    if first not in {"kernel", "products"} or rest == ["__init__.py"]:
        return None
    domains = KERNEL if first == "kernel" else PRODUCTS
    if rest[0] not in domains:
        return f"{first} has {', '.join(sorted(domains))}"
    return _misplaced_in_domain(tuple(rest[1:]), nouns=True)


def _misplaced_in_domain(parts: tuple[str, ...], *, nouns: bool) -> str | None:
    if len(parts) == 1:
        name = parts[0]
        if name == "__init__.py" or name.removesuffix(".py") in KINDS:
            return None
        return f"a domain's files are {', '.join(sorted(KINDS))}"
    if parts[0] == TEMPLATES:
        return "no code among templates" if parts[-1].endswith(".py") else None
    if not nouns:
        return "a noun is not divided again"
    if not _NOUN.fullmatch(parts[0]) or parts[0] in _NO_NOUN | KINDS:
        return f"a domain is divided by nouns, and {parts[0]!r} is none"
    return _misplaced_in_domain(parts[1:], nouns=False)
