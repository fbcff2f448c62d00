"""What a Lambda loads when it starts: its own domain, what that stands on, and nothing else."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from chalicelib import registry
from chalicelib.core.config import ALL_PRODUCTS, config
from tests.architecture.handlers import Handler, handlers
from tests.architecture.source import ROOT, program, report
from tests.support.environment import VARIABLES

LATE = {
    "PIL", "alembic", "argon2", "bcrypt", "boto3", "botocore", "cryptography", "openai",
    "sqlalchemy.orm", "stripe",
}  # fmt: skip
"""Loaded where they are used, if at all: each costs every cold start tens of milliseconds."""

SCRIPT = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
outbox = sys.modules.get("chalicelib.core.outbox")
print(json.dumps({
    "modules": sorted(sys.modules),
    "subscribers": [[one.queue, one.name] for one in outbox.subscribers()] if outbox else [],
}))
"""


@cache
def _started(module: str, function: str | None = None) -> dict[str, Any]:
    """What a fresh process has loaded after importing a module."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    }
    if function:
        environment["KITH_FUNCTION"] = function
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, module],
        cwd=ROOT,
        env=VARIABLES | environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def _surplus(modules: list[str], product: str | None) -> list[str]:
    """What of these modules a handler of `product` should not have loaded; packages are empty."""
    others = {
        one
        for one in modules
        if one.startswith("chalicelib.products.")
        and _product(one) != product
        and not (ROOT / one.replace(".", "/")).is_dir()
    }
    late = {one for one in modules for name in LATE if one == name or one.startswith(f"{name}.")}
    return sorted(others | late)


def _product(module: str) -> str | None:
    told = re.match(r"chalicelib\.products\.(\w+)", module)
    return told[1] if told else None


def _one_of_each_kind() -> list[str]:
    """A module for each kind of handler: the last of the alphabet, a product's if one has any."""
    found = {one.kind: one.source.module for one in handlers(program())}
    return sorted(set(found.values()))


def _workers() -> list[Handler]:
    return [one for one in handlers(program()) if one.kind == "worker"]


@pytest.mark.parametrize("module", _one_of_each_kind())
def test_a_handler_loads_its_own_domain_only(module: str) -> None:
    surplus = _surplus(_started(module)["modules"], _product(module))
    assert not surplus, report(surplus)


def test_a_lambda_that_is_one_handler_loads_no_other_domain() -> None:
    one = next(one for one in handlers(program()) if one.name == "billing_ledger_balance")
    modules = _started("app", one.name)["modules"]
    surplus = _surplus(modules, None)
    assert not surplus, report(surplus)
    assert one.source.module in modules
    assert "chalicelib.kernel.notifications.service" not in modules


def test_what_should_not_be_loaded_is_found() -> None:
    modules = ["boto3", "chalicelib.products.dating.service", "sqlalchemy.orm.session", "stripe"]
    assert _surplus([*modules, "json", "sqlalchemy.sql"], "marketplace") == modules
    assert _surplus(["chalicelib.products.dating.service"], "dating") == []


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("worker", _workers(), ids=lambda one: one.name)
def test_a_worker_alone_knows_every_subscriber_of_its_queue(worker: Handler) -> None:
    everybody = registry.subscribers(config())
    told = _started(worker.source.module)["subscribers"]
    known = {name for queue, name in told if queue == worker.queue}
    assert known == {one.name for one in everybody if one.queue == worker.queue}


@pytest.mark.usefixtures("migrated")
def test_every_queue_that_is_heard_has_a_worker() -> None:
    heard = {one.queue for one in registry.subscribers(config())}
    assert heard <= {one.queue for one in _workers()}


def test_every_folder_of_products_and_kernel_is_in_the_registry() -> None:
    def folders(layer: str) -> set[str]:
        return {path.parent.name for path in (ROOT / "chalicelib" / layer).glob("*/__init__.py")}

    assert folders("products") == set(registry.PRODUCTS) == set(ALL_PRODUCTS)
    assert folders("kernel") == {name for names in registry.PRODUCTS.values() for name in names}
