"""Who may import whom: the contracts of import-linter, and what it can't say."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import borders
from tests.architecture.source import ROOT, planted, program, report

HOUSE = {
    "chalicelib/registry.py": "",
    "chalicelib/kernel/accounts/queries.py": "",
    "chalicelib/kernel/accounts/service.py": "",
    "chalicelib/kernel/accounts/tables.py": "",
    "chalicelib/kernel/billing/events.py": "",
    "chalicelib/kernel/billing/checkouts/queries.py": "",
    "chalicelib/kernel/billing/checkouts/service.py": "",
    "chalicelib/kernel/billing/gateway.py": "",
    "chalicelib/products/marketplace/routes.py": "",
    "chalicelib/products/marketplace/subscribers.py": "",
    "chalicelib/products/marketplace/posts/queries.py": "",
    "chalicelib/products/marketplace/posts/service.py": "",
    "chalicelib/products/marketplace/posts/tables.py": "",
    "chalicelib/products/marketplace/posts/workers.py": "",
}

PLANTED_FOR_THE_LINTER = {
    "products/dating/__init__.py": "",
    "products/dating/service.py": "from chalicelib.products.marketplace import errors\n",
    "core/planted.py": "from chalicelib.kernel.accounts import service\nimport local\n",
    "kernel/accounts/gateway.py": "from chalicelib.kernel.billing import events\n",
    "kernel/moderation/gateway.py": "from chalicelib.kernel.notifications import events\n",
    "kernel/notifications/planted.py": "from chalicelib.kernel.moderation import errors\n",
    "kernel/payments/__init__.py": "",
}


def _lint_imports(folder: Path) -> tuple[int, str]:
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as lint; lint()",
            "--no-logo",
            "--no-cache",
        ],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    return run.returncode, " ".join((run.stdout + run.stderr).split())


def test_the_contracts_are_kept() -> None:
    code, told = _lint_imports(ROOT)
    assert code == 0, told


def test_every_contract_breaks_where_it_should(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "chalicelib", tmp_path / "chalicelib")
    shutil.copy(ROOT / ".importlinter", tmp_path)
    for path, text in PLANTED_FOR_THE_LINTER.items():
        file = tmp_path / "chalicelib" / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    code, told = _lint_imports(tmp_path)
    assert code == 1, told
    assert "Contracts: 0 kept, 5 broken." in told
    for wrong in (
        "chalicelib.core is not allowed to import chalicelib.kernel",
        "chalicelib.products.dating is not allowed to import chalicelib.products.marketplace",
        "chalicelib.kernel.accounts is not allowed to import chalicelib.kernel.billing",
        "chalicelib is not allowed to import local",
        "payments",
    ):
        assert wrong in told, told


def test_domains_keep_to_themselves_what_is_theirs() -> None:
    found = borders.private_imports(program())
    assert not found, report(found)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("products/marketplace/posts/queries", "from chalicelib.kernel.accounts import tables"),
        ("products/marketplace/posts/queries", "from chalicelib.kernel.accounts.tables import x"),
        ("products/marketplace/posts/queries", "import chalicelib.kernel.accounts.queries"),
        ("products/marketplace/posts/service", "from chalicelib.kernel import accounts"),
        (
            "kernel/billing/checkouts/service",
            "def f():\n  from chalicelib.kernel.accounts import queries",
        ),
        ("products/marketplace/posts/service", "from chalicelib.kernel.billing import gateway"),
        ("registry", "from chalicelib.kernel.accounts.queries import CALLER_STATE"),
    ],
)
def test_an_import_of_what_is_private_is_found(path: str, line: str) -> None:
    assert borders.private_imports(planted(HOUSE | {f"chalicelib/{path}.py": line}))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("products/marketplace/posts/queries", "from chalicelib.kernel.accounts import service"),
        ("products/marketplace/subscribers", "from chalicelib.kernel.billing.events import Paid"),
        (
            "products/marketplace/posts/service",
            "from chalicelib.kernel.billing.checkouts import service",
        ),
    ],
)
def test_an_import_of_what_is_public_is_not(path: str, line: str) -> None:
    assert not borders.private_imports(planted(HOUSE | {f"chalicelib/{path}.py": line}))


def test_calls_within_a_domain_go_down_one_step_at_a_time() -> None:
    found = borders.upward_imports(program())
    assert not found, report(found)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (
            "products/marketplace/routes",
            "from chalicelib.products.marketplace.posts import queries",
        ),
        (
            "products/marketplace/posts/service",
            "from chalicelib.products.marketplace import routes",
        ),
        (
            "products/marketplace/posts/service",
            "from chalicelib.products.marketplace.posts import tables",
        ),
        (
            "products/marketplace/posts/queries",
            "from chalicelib.products.marketplace.posts import service",
        ),
        (
            "products/marketplace/posts/tables",
            "from chalicelib.products.marketplace.posts.queries import x",
        ),
        ("products/marketplace/posts/workers", "from . import tables"),
    ],
)
def test_an_import_that_goes_back_or_skips_a_step_is_found(path: str, line: str) -> None:
    assert borders.upward_imports(planted(HOUSE | {f"chalicelib/{path}.py": line}))


def test_sdks_are_imported_where_they_are_used() -> None:
    found = borders.sdks_out_of_place(program())
    assert not found, report(found)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("kernel/billing/gateway", "import stripe"),
        ("kernel/billing/checkouts/service", "def f():\n    import stripe"),
        ("kernel/assistant/service", "def f():\n    from openai import OpenAI"),
        ("core/aws", "import boto3"),
        ("kernel/media/gateway", "def f():\n    import boto3"),
        ("kernel/accounts/service", "def f():\n    from argon2 import PasswordHasher"),
        ("core/http", "def f():\n    from cryptography import x509"),
        ("core/db", "import pg8000"),
        ("products/marketplace/posts/service", "import urllib.request"),
        ("products/marketplace/posts/service", "def f():\n    from http import client"),
        ("kernel/accounts/service", "import a_package_nobody_named"),
    ],
)
def test_an_sdk_out_of_place_is_found(path: str, line: str) -> None:
    assert borders.sdks_out_of_place(planted({f"chalicelib/{path}.py": line}))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("kernel/billing/gateway", "def f():\n    import stripe"),
        ("core/aws", "def f():\n    import boto3"),
        ("core/driver", "from pg8000.core import CoreConnection"),
        ("products/marketplace/domains/gateway", "import http.client"),
        ("kernel/accounts/service", "import json\nfrom sqlalchemy import select"),
    ],
)
def test_an_sdk_at_home_is_not(path: str, line: str) -> None:
    assert not borders.sdks_out_of_place(planted({f"chalicelib/{path}.py": line}))
