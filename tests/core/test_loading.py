"""What a Lambda of its own loads at its first use, and what a whole deployment loads at once."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from chalicelib import registry
from chalicelib.core.config import Config
from tests.architecture.source import ROOT
from tests.support.environment import VARIABLES

SCRIPT = """
import json, sys, types
import app
waiting = [n for n, m in sys.modules.items() if type(m).__name__ == "_LazyModule"]
from chalicelib import registry
tables = sorted(one.fullname for one in registry.tables().tables.values())
print(json.dumps({"waiting": waiting, "tables": tables}))
"""


def started(function: str | None) -> dict[str, list[str]]:
    told = {"PATH": os.environ["PATH"], "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    if function:
        told["KITH_FUNCTION"] = function
    command = [sys.executable, "-c", SCRIPT]
    run = subprocess.run(command, cwd=ROOT, env=VARIABLES | told, capture_output=True, check=True)
    found: dict[str, list[str]] = json.loads(run.stdout)
    return found


def test_a_lambda_of_its_own_leaves_statements_until_they_are_used() -> None:
    waiting = started("marketplace_posts_get")["waiting"]
    assert "chalicelib.products.marketplace.posts.service" in waiting
    assert all(one.startswith(("chalicelib.kernel.", "chalicelib.products.")) for one in waiting)


def test_a_whole_deployment_loads_all_at_once() -> None:
    assert started(None)["waiting"] == []


def test_all_tables_are_known_either_way() -> None:
    assert started("accounts_profile_me")["tables"] == started(None)["tables"]


@pytest.mark.parametrize(
    ("function", "module"),
    [
        ("marketplace_posts_get", "chalicelib.products.marketplace.posts.routes"),
        ("moderation_block", "chalicelib.kernel.moderation.routes"),
        ("core_relay", "chalicelib.core.housekeeping"),
    ],
)
def test_a_function_is_found_in_its_own_room(settings: Config, function: str, module: str) -> None:
    found = registry.entrances(replace(settings, function=function))
    assert module in found
    assert {one.rpartition(".")[0] for one in found} == {module.rpartition(".")[0]}
