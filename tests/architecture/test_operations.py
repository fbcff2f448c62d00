"""What every operation declares, and the two lists that are committed of them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from chalice.app import Chalice

from chalicelib.core import operations as known
from chalicelib.core.errors import AppError, NotFound
from chalicelib.core.operations import Access, Operation, Staff, User
from chalicelib.core.schemas import Schema
from tests.architecture import operations
from tests.architecture.listings import difference, disorder, read
from tests.architecture.source import ROOT, report

Check = Callable[[list[Operation]], list[str]]

CHECKS: list[Check] = [
    operations.unguarded,
    operations.untyped,
    operations.wrong_errors,
    operations.unbound,
]


class Closed(Schema):
    """A schema as it should be."""

    id: UUID
    names: list[str]
    inner: "Closed | None" = None


class WithAny(Schema):
    """A schema that takes anything."""

    value: Any


class WithObject(Schema):
    """A schema that takes anything in a list."""

    values: list[object]


class WithOpenDict(Schema):
    """A schema with an object whose keys nobody knows."""

    values: dict[str, str]


class WithinAnother(Schema):
    """A schema that takes anything one level down."""

    inner: WithAny | None


def _handler() -> None:
    """A handler."""


def _staff_of_the_marketplace() -> None:
    """A handler."""


_staff_of_the_marketplace.__module__ = "chalicelib.products.marketplace.routes"

GOOD = Operation(
    name="a_get",
    domain="a",
    method="GET",
    path="/v1/things/{thing_id}",
    access=User,
    kind="read",
    status=200,
    moves=False,
    stores_answer=True,
    rates=(),
    errors=(NotFound,),
    max_body_bytes=1,
    function=_handler,
    path_parameters={"thing_id": UUID},
    answer=Closed,
)

WRONG: list[tuple[Check, dict[str, Any]]] = [
    (operations.unguarded, {"access": None}),
    (operations.unguarded, {"access": Access("friends")}),
    (operations.unguarded, {"access": Staff("support"), "function": _staff_of_the_marketplace}),
    (operations.unguarded, {"access": Staff("support"), "path": "/v1/admin/{product}/things"}),
    (operations.unguarded, {"access": Staff("support", product="{product}")}),
    (operations.untyped, {"path_parameters": {"thing_id": Any}}),
    (operations.untyped, {"answer": None}),
    (operations.untyped, {"answer": dict}),
    (operations.untyped, {"answer": Any}),
    (operations.untyped, {"answer": list[Closed]}),
    (operations.untyped, {"answer": WithAny}),
    (operations.untyped, {"answer": WithinAnother}),
    (operations.untyped, {"body": WithObject}),
    (operations.untyped, {"query": WithOpenDict}),
    (operations.untyped, {"raw": True}),
    (operations.wrong_errors, {"errors": (ValueError,)}),
    (operations.wrong_errors, {"errors": (AppError,)}),
    (operations.unbound, {"path": "/v1/things"}),
    (operations.unbound, {"path": "/things/{thing_id}"}),
    (operations.unbound, {"path": "/v1/Many-Things/{thing_id}"}),
    (operations.unbound, {"body": Closed}),
]


@pytest.fixture(scope="module")
def every(app: Chalice) -> list[Operation]:
    """The program's operations; `app` has loaded them."""
    return [
        one
        for _, one in sorted(known.registered.items())
        if one.function.__module__.startswith("chalicelib.")
    ]


def _name(value: object) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize("check", CHECKS, ids=_name)
def test_every_operation_declares_what_it_should(check: Check, every: list[Operation]) -> None:
    found = check(every)
    assert not found, report(found)


@pytest.mark.parametrize("check", CHECKS, ids=_name)
def test_a_good_operation_passes(check: Check) -> None:
    assert not check([GOOD])


@pytest.mark.parametrize(("check", "changes"), WRONG, ids=_name)
def test_an_operation_that_does_not_is_found(check: Check, changes: dict[str, Any]) -> None:
    assert check([replace(GOOD, **changes)])


def test_whoever_is_not_signed_in_may_call_what_is_listed(every: list[Operation]) -> None:
    listed = read(ROOT / "docs/anonymous_operations.csv", ("operation", "reason"))
    assert not disorder(listed), report(disorder(listed))
    unreasoned = [operation for operation, reason in listed if len(reason.split()) < 3]
    assert not unreasoned, report(unreasoned)
    open_ones = {one.name for one in every if not one.access.signed_in or one.access.optional}
    found = difference([(name,) for name, _ in listed], [(name,) for name in open_ones])
    assert not found, report(["docs/anonymous_operations.csv:", *found])


def test_the_codes_of_errors_are_those_listed(every: list[Operation]) -> None:
    assert every
    listed = read(ROOT / "docs/error_codes.csv", ("code", "status", "title"))
    assert not disorder(listed), report(disorder(listed))
    real = [
        (code, str(error.status), error.title)
        for code, error in AppError.known.items()
        if error.__module__.startswith("chalicelib.")
    ]
    found = difference(listed, real)
    assert not found, report(["docs/error_codes.csv:", *found])


def test_a_code_begins_with_the_domain_it_is_of(every: list[Operation]) -> None:
    assert every
    found = [
        f"{error.__module__}.{error.__qualname__}: {code}"
        for code, error in AppError.known.items()
        if error.__module__.startswith(("chalicelib.kernel.", "chalicelib.products."))
        and not code.startswith(f"{error.__module__.split('.')[2]}.")
    ]
    assert not found, report(found)


def test_a_list_that_is_behind_shows_what_to_change() -> None:
    listed = [("a", "400", "Old, and so on"), ("b", "404", "Same")]
    real = [("a", "400", "New"), ("b", "404", "Same"), ("c", "409", "Added")]
    assert difference(listed, real) == ["+ a,400,New", '- a,400,"Old, and so on"', "+ c,409,Added"]
    assert disorder([("b", ""), ("a", ""), ("a", "")]) == [
        "a: twice, or after b",
        "a: twice, or after a",
    ]
