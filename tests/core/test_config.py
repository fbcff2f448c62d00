"""Settings: read once from the environment, named when they are missing, frozen."""

import os
from collections.abc import Iterator
from dataclasses import FrozenInstanceError

import pytest

from chalicelib.core import aws
from chalicelib.core.config import ALL_PRODUCTS, Config, config
from tests.support.environment import VARIABLES


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is needed and nothing else."""
    for name in [name for name in os.environ if name.startswith(("KITH_", "STRIPE_"))]:
        monkeypatch.delenv(name)
    for name in ("KITH_TOKEN_KEYS", "KITH_MASTER_KEY"):
        monkeypatch.setenv(name, VARIABLES[name])
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:b@c/d")
    config.cache_clear()
    yield
    config.cache_clear()


def test_what_may_be_left_out_has_a_default() -> None:
    told = config()
    assert told.products == ALL_PRODUCTS
    assert told.function is None
    assert told.statement_timeout_ms == 10_000
    assert told.cors_origin == "*"
    assert (told.pooler, told.stripe_live, told.check_answers) == (False, False, False)


@pytest.mark.parametrize("name", ["DATABASE_URL", "KITH_TOKEN_KEYS", "KITH_MASTER_KEY"])
def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(RuntimeError, match=name):
        config()


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", True), ("true", True), ("YES", True), ("0", False), ("", False), ("off", False)],
)
def test_switches(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("KITH_POOLER", value)
    assert config().pooler is expected


def test_products_are_those_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITH_PRODUCTS", "marketplace")
    assert config().products == ("marketplace",)
    config.cache_clear()
    monkeypatch.setenv("KITH_PRODUCTS", "marketplace,nonsense")
    with pytest.raises(RuntimeError, match="nonsense"):
        config()


def test_a_secret_is_fetched_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "secret", lambda name: f"postgresql://{name}@db/kith")
    monkeypatch.setenv("DATABASE_URL", "secret:kith/database")
    assert config().database_url == "postgresql://kith/database@db/kith"


def test_settings_are_read_once_and_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    told: Config = config()
    monkeypatch.setenv("KITH_POOLER", "1")
    assert config() is told
    with pytest.raises(FrozenInstanceError):
        told.pooler = True  # type: ignore[misc]


def test_an_address_has_no_slash_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITH_PUBLIC_URL", "https://kith.example/")
    assert config().public_url == "https://kith.example"
