"""Every description of an operation says how it is called: the call succeeds, with its status."""

from pathlib import Path

import pytest
from argon2 import PasswordHasher

from chalicelib.core import aws, passwords
from chalicelib.products.marketplace.domains import gateway as domains
from local.postgres import Server
from tests.faults.described import scene
from tests.faults.described.scene import Scene
from tests.faults.world import DEAD_LETTERS, World
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.internet import Internet
from tests.support.stripe import Stripe


@pytest.fixture
def stand_ins(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in place of the outside world in proofs, besides what all tests have."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: quick)
    monkeypatch.setattr(domains, "network", Internet())
    for name in DEAD_LETTERS:
        monkeypatch.setattr(aws, name, getattr(cloud, name))


@pytest.fixture
def world(api: Api, server: Server, stripe: Stripe, cloud: Cloud, tmp_path: Path) -> World:
    """The program as a proof finds it, around the database of these tests."""
    return World(api.app, server, stripe, cloud, tmp_path)


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize("name", scene.written())
def test_a_described_call_succeeds(world: World, name: str) -> None:
    description = scene.every()[name]
    access = description.registered.access
    call = description.prepare(Scene(world))
    assert (description.reach == "staff") is bool(access.roles)
    assert (call.by is None) <= (not access.signed_in or access.optional)
    assert call.owner or description.reach in {"nobody", "owner", "staff"}, "whose is it?"
    assert call.owner is None or call.by is None or call.owner.id != call.by.id
    answer = scene.make(description, call, world)
    assert answer.status == description.registered.status, answer.text
