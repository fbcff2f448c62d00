"""Fixtures that the tests of kernel, products and journeys share; their conftests name them."""

from collections.abc import Callable, Iterator

import pytest
from argon2 import PasswordHasher
from chalice.app import Chalice

from chalicelib.core import passwords
from chalicelib.core.config import config
from chalicelib.kernel.billing import gateway
from local.lambdas import for_many_threads
from tests.support import invariants
from tests.support.api import Api
from tests.support.people import Person, person
from tests.support.stripe import Stripe
from tests.support.times import Times


@pytest.fixture(scope="session", autouse=True)
def threads_apart(app: Chalice) -> None:
    """Let several threads call the app at once: on AWS each has a Lambda to itself."""
    for_many_threads(app)


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with parameters that cost nothing; how dear the real ones are is core's to show."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: quick)


@pytest.fixture(autouse=True)
def invariants_hold(api: Api) -> Iterator[None]:
    """Whatever a test did, money and credits add up afterwards."""
    yield
    assert invariants.broken() == {}


@pytest.fixture
def times(stripe: Stripe) -> Iterator[Times]:
    """A clock to move."""
    moved = Times(stripe)
    yield moved
    moved.back()


@pytest.fixture
def newcomer(api: Api) -> Person:
    """Somebody signed in whose address is not verified."""
    return person(api, verified=False)


@pytest.fixture
def configured() -> Iterator[Callable[[str, str], None]]:
    """A way to set a variable of the environment for this test."""
    with pytest.MonkeyPatch.context() as patch:

        def put(name: str, value: str) -> None:
            patch.setenv(name, value)
            config.cache_clear()

        yield put
    config.cache_clear()


@pytest.fixture
def impatient(app: Chalice, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A client of Stripe that gives up at the first failure, so that outages take no time."""
    monkeypatch.setattr(gateway, "_RETRIES", 0)
    gateway._client.cache_clear()  # noqa: SLF001  made with the other patience
    yield
    gateway._client.cache_clear()  # noqa: SLF001
