"""Handlers: one name each, in their place, with bodies that hand over."""

from collections.abc import Callable

import pytest
from chalice.app import Chalice

from chalicelib.core import answers
from tests.architecture import handlers
from tests.architecture.source import Tree, planted, program, report

Check = Callable[[Tree], list[str]]

CHECKS: list[Check] = [
    handlers.of_one_name,
    handlers.out_of_place,
    handlers.deciding,
    handlers.undescribed,
]

ROUTES = '''
from chalicelib.core.http import endpoint

@endpoint(bp, "GET", "/v1/a", caller=User)
def get(db: Connection) -> Thing:
    """A thing."""
    return service.thing(db)
'''
JOBS = ROUTES.replace("core.http", "core.jobs").replace("endpoint", "job")

WRONG: list[tuple[Check, dict[str, str]]] = [
    (handlers.of_one_name, {"kernel/a/routes": ROUTES, "kernel/a/jobs": JOBS}),
    (handlers.of_one_name, {"kernel/a/routes": ROUTES + ROUTES}),
    (
        handlers.of_one_name,
        {"kernel/a/b/routes": ROUTES, "kernel/a/routes": ROUTES.replace("get", "b_get")},
    ),
    (handlers.out_of_place, {"kernel/a/service": ROUTES}),
    (handlers.out_of_place, {"kernel/a/routes": JOBS}),
    (handlers.deciding, {"kernel/a/routes": ROUTES + "    if db:\n        return 1\n"}),
    (handlers.deciding, {"kernel/a/routes": ROUTES.replace("(db)\n", "(db) if db else None\n")}),
    (handlers.deciding, {"kernel/a/routes": ROUTES + "    f()\n" * 5}),
    (handlers.deciding, {"kernel/a/routes": ROUTES.replace("    return service.thing(db)\n", "")}),
    (handlers.undescribed, {"kernel/a/routes": ROUTES.replace('"""A thing."""', "pass")}),
    (handlers.undescribed, {"kernel/a/routes": ROUTES.replace("A thing.", "A thing")}),
]


def _name(value: object) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize("check", CHECKS, ids=_name)
def test_every_handler_keeps_to_it(check: Check) -> None:
    found = check(program())
    assert not found, report(found)


@pytest.mark.parametrize("check", CHECKS, ids=_name)
def test_a_good_handler_passes(check: Check) -> None:
    assert not check(planted({"chalicelib/kernel/a/routes.py": ROUTES}))


@pytest.mark.parametrize(("check", "files"), WRONG, ids=_name)
def test_a_handler_that_does_not_is_found(check: Check, files: dict[str, str]) -> None:
    assert check(planted({f"chalicelib/{path}.py": text for path, text in files.items()}))


def test_every_route_answers_browsers_alike(app: Chalice) -> None:
    for path, methods in app.routes.items():
        assert all(entry.cors == answers.cors() for entry in methods.values()), path


def test_every_handler_that_is_written_is_served(app: Chalice) -> None:
    written = {one.name for one in handlers.handlers(program())}
    routed = {entry.view_name for methods in app.routes.values() for entry in methods.values()}
    assert routed | set(app.handler_map) == written
