"""What import-linter can't say: who may import which file of a domain, and which SDK where."""

import sys
from typing import NamedTuple

from tests.architecture.source import Import, Source, Tree

PUBLIC = {"service", "schemas", "events", "errors"}
"""What a domain shows to others."""

_ENTRANCE = {"service", "schemas", "errors", "events"}
_WITHIN = {
    "routes": _ENTRANCE,
    "jobs": _ENTRANCE,
    "triggers": _ENTRANCE,
    "subscribers": _ENTRANCE,
    # A worker loads the subscribers it hands messages to.
    "workers": _ENTRANCE | {"subscribers"},
    "service": {"service", "queries", "gateway", "schemas", "errors", "events"},
    "queries": {"queries", "tables", "schemas"},
    "gateway": {"gateway", "schemas", "errors"},
    "tables": {"tables"},
    "schemas": {"schemas"},
    "errors": {"errors"},
    "events": {"events"},
}
"""What each file of a domain may import of its own domain: downwards, one step at a time."""

_EVERYWHERE = {"chalice", "chalicelib", "pydantic", "sqlalchemy"}
_HOMES = {
    "pg8000": {"chalicelib/core/driver.py"},
    "argon2": {"chalicelib/core/passwords.py"},
    "bcrypt": {"chalicelib/core/passwords.py"},
    "cryptography": {"chalicelib/core/sealing.py"},
    "boto3": {"chalicelib/core/aws.py"},
    "botocore": {"chalicelib/core/aws.py"},
}
"""Packages with one home in core. pg8000 is loaded at start, since every Lambda needs it."""

_OUTSIDE = {"http.client", "smtplib", "socket", "subprocess", "urllib.request"}
"""What of the standard library reaches beyond the process."""
_REACHES = {"chalicelib/core/aws.py", "chalicelib/core/driver.py"}

_SDKS_AT_THE_TOP = {"pg8000"}


class Room(NamedTuple):
    """Where a file of a domain stands: `kernel.billing`, `checkouts`, `service`."""

    domain: str
    noun: str | None
    kind: str


def room_of(module: str) -> Room | None:
    """The room of a module; None for packages and for what belongs to no domain."""
    house, *parts = module.split(".")
    if house != "chalicelib" or parts[:1] not in (["kernel"], ["products"]):
        return None
    match parts:
        case [layer, domain, kind]:
            return Room(f"{layer}.{domain}", None, kind)
        case [layer, domain, noun, kind]:
            return Room(f"{layer}.{domain}", noun, kind)
        case _:
            return None


def private_imports(tree: Tree) -> list[str]:
    """Imports of what another domain keeps to itself."""
    found = []
    for source, one, target in _within_house(tree):
        own, other = room_of(source.module), room_of(target)
        if own and other and own.domain == other.domain:
            continue
        if other is None or other.kind not in PUBLIC:
            found.append(
                source.at(one.node, f"{target} is private: others see {', '.join(sorted(PUBLIC))}")
            )
    return found


def upward_imports(tree: Tree) -> list[str]:
    """Imports within a domain that go back, or skip a step."""
    found = []
    for source, one, target in _within_house(tree):
        own, other = room_of(source.module), room_of(target)
        if not own or not other or own.domain != other.domain:
            continue
        if other.kind not in _WITHIN.get(own.kind, set()):
            found.append(source.at(one.node, f"{own.kind} may not import {other.kind}"))
    return found


def _within_house(tree: Tree) -> list[tuple[Source, Import, str]]:
    """Every import of something in kernel or products, with the module it comes from."""
    sources = list(tree)
    modules = {one.module for one in sources}
    found = []
    for source in sources:
        for one in source.imports:
            named = f"{one.module}.{one.name}" if one.name else one.module
            target = named if named in modules else one.module
            if target.startswith(("chalicelib.kernel", "chalicelib.products")):
                found.append((source, one, target))
    return found


def sdks_out_of_place(tree: Tree) -> list[str]:
    """Imports of SDKs outside a function, or outside the one file that knows them."""
    found = []
    for source in tree:
        for one in source.imports:
            package = one.module.partition(".")[0]
            reaches = one.module if one.name is None else f"{one.module}.{one.name}"
            if {one.module, reaches} & _OUTSIDE:
                if source.path not in _REACHES and not source.path.endswith("/gateway.py"):
                    found.append(
                        source.at(one.node, f"{one.module} reaches outside: in a gateway.py only")
                    )
            elif package not in sys.stdlib_module_names | _EVERYWHERE:
                found += _sdk_out_of_place(source, one, package)
    return found


def _sdk_out_of_place(source: Source, one: Import, package: str) -> list[str]:
    homes = _HOMES.get(package)
    at_home = source.path in homes if homes else source.path.endswith("/gateway.py")
    if not at_home:
        home = ", ".join(sorted(homes)) if homes else "a gateway.py"
        return [source.at(one.node, f"{package} belongs in {home}")]
    if not one.in_function and package not in _SDKS_AT_THE_TOP:
        return [source.at(one.node, f"{package} is imported where it is used, in a function")]
    return []
