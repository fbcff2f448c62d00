"""What the endpoints are, as data: the source of routes, OpenAPI, policies and proofs."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from chalicelib.core.errors import AppError

Kind = Literal["read", "write", "call"]
Role = Literal["support", "moderator", "finance", "admin"]


@dataclass(frozen=True)
class Access:
    """Who may call an operation."""

    name: str
    signed_in: bool = True
    optional: bool = False
    verified: bool = False
    product: str | None = None
    roles: tuple[Role, ...] = ()

    def within(self, path: dict[str, str]) -> "Access":
        """With the product that a request's path names, where that decides."""
        if self.product and self.product.startswith("{"):
            return replace(self, product=path[self.product.strip("{}")])
        return self


Anonymous = Access("anonymous", signed_in=False)
Optional = Access("optional", optional=True)
User = Access("user")
Verified = Access("verified", verified=True)


def Staff(*roles: Role, product: str | None = None) -> Access:  # noqa: N802  reads as the others do
    """Staff who hold one of `roles` for `product`, or for all; admins may do what the others may.

    `product="{product}"` is the product that the path names.
    """
    return Access("staff", verified=True, product=product, roles=(*roles, "admin"))


@dataclass(frozen=True)
class Rate:
    """At most `count` requests in each window of `seconds`, for each value of `by`.

    `by` is the caller, the source address as API Gateway saw it, or a field: `body.email`.
    """

    count: int
    seconds: int
    by: str = "address"


@dataclass(frozen=True)
class Operation:
    """One endpoint."""

    name: str
    domain: str
    method: str
    path: str
    access: Access
    kind: Kind
    status: int
    moves: bool
    stores_answer: bool
    rates: tuple[Rate, ...]
    errors: tuple[type[AppError], ...]
    max_body_bytes: int
    function: Callable[..., Any]
    path_parameters: dict[str, Any] = field(default_factory=dict)
    query: type | None = None
    body: type | None = None
    answer: Any = None
    raw: bool = False

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """What the handler takes besides its connection, by name."""
        code = self.function.__code__
        return code.co_varnames[1 : code.co_argcount]

    @property
    def summary(self) -> str:
        """The first sentence of the handler's docstring."""
        return self.description.partition("\n")[0]

    @property
    def description(self) -> str:
        """The handler's docstring, unindented."""
        lines = (self.function.__doc__ or "").strip().splitlines()
        return "\n".join(line.strip() for line in lines)


registered: dict[str, Operation] = {}


def register(operation: Operation) -> None:
    """Keep an operation; two of one name would overwrite each other's Lambda."""
    known = registered.setdefault(operation.name, operation)
    if known.function.__code__ is not operation.function.__code__:
        raise ValueError(f"two handlers are called {operation.name}")
