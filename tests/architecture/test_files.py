"""Where files stand, what they are called, and how long they are."""

import pytest

from tests.architecture import files
from tests.architecture.source import ROOT, everything, load, planted, program, report

LONG_FILES = {
    "chalicelib/core/db.py": "units of work, whole: what begins, repeats and ends them",
    "chalicelib/core/driver.py": "one protocol, whose rules hold only together",
    "chalicelib/core/http.py": "one decorator, read from top to bottom",
    "chalicelib/core/outbox.py": "an event's way from publishing to delivery",
}
"""Files of more than 300 lines, and why each is not divided."""


def _paths() -> list[str]:
    return [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "chalicelib").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]


def test_every_file_stands_in_its_room() -> None:
    found = files.misplaced(_paths())
    assert not found, report(found)


@pytest.mark.parametrize(
    "path",
    [
        "chalicelib/helpers.py",
        "chalicelib/kernel/users/service.py",
        "chalicelib/products/shop/service.py",
        "chalicelib/kernel/billing/models.py",
        "chalicelib/kernel/billing/checkouts/views.py",
        "chalicelib/kernel/billing/utils/service.py",
        "chalicelib/kernel/billing/checkouts2/service.py",
        "chalicelib/kernel/billing/checkouts/lines/service.py",
        "chalicelib/kernel/notifications/templates/en/mail.py",
    ],
)
def test_a_file_without_a_room_is_found(path: str) -> None:
    assert files.misplaced([path])


@pytest.mark.parametrize(
    "path",
    [
        "chalicelib/registry.py",
        "chalicelib/core/http.py",
        "chalicelib/kernel/__init__.py",
        "chalicelib/kernel/billing/__init__.py",
        "chalicelib/kernel/billing/ledger/queries.py",
        "chalicelib/kernel/notifications/templates/en/mail.txt",
    ],
)
def test_a_file_in_its_room_is_not(path: str) -> None:
    assert not files.misplaced([path])


def test_names_say_what_is_inside() -> None:
    named = [one.path for one in load("chalicelib", "local", "deploy", "bench")]
    found = files.meaningless(named)
    assert not found, report(found)


@pytest.mark.parametrize(
    "path", ["local/utils.py", "chalicelib/core/common/x.py", "local/api_2.py"]
)
def test_a_name_that_says_nothing_is_found(path: str) -> None:
    assert files.meaningless([path])


def test_packages_are_empty() -> None:
    found = files.spoken_packages(everything())
    assert not found, report(found)


def test_a_package_that_speaks_is_found() -> None:
    assert files.spoken_packages(planted({"chalicelib/kernel/__init__.py": "import stripe\n"}))


def test_no_file_is_too_long() -> None:
    found = files.longer_than(files.TOO_LONG, everything())
    assert not found, report(f"{path}: {length} lines" for path, length in found.items())


def test_a_long_file_has_a_reason() -> None:
    long = files.longer_than(files.LONG, program())
    assert long.keys() <= LONG_FILES.keys(), report(
        f"{path}: {length} lines; divide it by nouns, or say in LONG_FILES why not"
        for path, length in long.items()
        if path not in LONG_FILES
    )


def test_a_file_that_is_too_long_is_found() -> None:
    sample = planted(
        {"chalicelib/core/short.py": "a = 1\n" * 500, "local/long.py": "a = 1\n" * 501}
    )
    assert files.longer_than(files.TOO_LONG, sample) == {"local/long.py": 501}
