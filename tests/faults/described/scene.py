"""How each operation is called so that it succeeds: what proofs of every operation stand on.

A domain describes its operations in a module of its name beside this one:

    @described("marketplace_posts_get", reach="members")
    def get_post(scene: Scene) -> Call:
        post = scene.post()
        return Call(by=scene.person(), path={"post_id": post.id}, owner=post.author)

The function makes whatever the call needs and may be called any number of times: each time
the call it returns succeeds once, with the operation's own status.
"""

import importlib
import itertools
import pkgutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, urlencode

from chalicelib.core import operations
from chalicelib.core.operations import Operation
from tests.faults.world import World
from tests.support import people
from tests.support.api import Answer, Api
from tests.support.people import Person

Reach = Literal["nobody", "owner", "members", "everyone", "staff", "token"]
"""Whom the objects that a call names are for.

`nobody`: it names nothing of anybody, and acts on the caller or reads a catalogue. `owner`: what
it names belongs to the caller; for anybody else it does not exist. `members`: whoever is signed
in may name it, but nobody whom its owner blocked or who blocked them. `everyone`: the same for
whoever is not signed in. `staff`: staff with the operation's role for its product. `token`:
whoever holds the token it names, which is the proof.
"""


@dataclass(frozen=True)
class Call:
    """One call, ready to be made.

    `by` is who makes it, None somebody not signed in; `owner` is whose object it names, where
    that is somebody else. `key` is the Idempotency-Key, made anew where the operation needs one.
    """

    by: Person | None = None
    path: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)
    body: Any = None
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    owner: Person | None = None
    key: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True)
class Description:
    """An operation, whom it is for, and how a call of it comes to be."""

    operation: str
    reach: Reach
    prepare: Callable[["Scene"], Call]

    @property
    def registered(self) -> Operation:
        """The operation itself."""
        return operations.registered[self.operation]


@dataclass
class Scene:
    """People and things for calls to be about, in a world."""

    world: World

    def person(self, *, verified: bool = True) -> Person:
        """Somebody new, signed in, at an address of their own: rates count by address."""
        return people.person(somewhere(self.world), verified=verified)

    def staff(self, role: str, product: str = "all") -> Person:
        """Somebody new who holds a role."""
        found = self.person()
        people.give_role(found, role, product)
        return found

    def staff_for(self, operation: str, product: str = "marketplace") -> Person:
        """Staff who may call an operation, by the least of its roles, for the product alone."""
        access = operations.registered[operation].access
        return self.staff(access.roles[0], product if access.product else "all")


_addresses = itertools.count(1)


def somewhere(world: World) -> Api:
    """A client that is not signed in, at an address that nobody called from yet."""
    return Api(world.app, address=f"2001:db8:1::{next(_addresses):x}")


descriptions: dict[str, Description] = {}
_Prepare = Callable[[Scene], Call]


def described(operation: str, *, reach: Reach) -> Callable[[_Prepare], _Prepare]:
    """Describe an operation by the function that prepares a call of it."""

    def describe(prepare: _Prepare) -> _Prepare:
        if operation in descriptions:
            raise ValueError(f"{operation} is described twice")
        descriptions[operation] = Description(operation, reach, prepare)
        return prepare

    return describe


def written() -> dict[str, Description]:
    """All descriptions, by operation, whether or not the program is loaded."""
    import tests.faults.described as here  # noqa: PLC0415  itself, when it is whole

    for module in pkgutil.iter_modules(here.__path__):
        importlib.import_module(f"tests.faults.described.{module.name}")
    return dict(sorted(descriptions.items()))


def every() -> dict[str, Description]:
    """All descriptions, by operation; ValueError if one describes no operation there is."""
    found = written()
    if unknown := found.keys() - operations.registered.keys():
        raise ValueError(f"described, and no operations: {sorted(unknown)}")
    return found


def address_of(description: Description, call: Call) -> str:
    """The path with its query."""
    filled = description.registered.path.format(
        **{name: quote(str(value), safe="") for name, value in call.path.items()}
    )
    asked = urlencode(dict(call.query), doseq=True)
    return f"{filled}?{asked}" if asked else filled


def make(description: Description, call: Call, world: World, *, by: Api | None = None) -> Answer:
    """Make a call, as its caller or as somebody else."""
    client = by or (call.by.api if call.by else somewhere(world))
    return client.call(
        description.registered.method,
        address_of(description, call),
        body=call.body,
        raw=call.raw,
        key=call.key if description.registered.moves else None,
        headers=dict(call.headers),
    )
