"""The whole program around a database of its own, without pytest: what proofs run in."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import environment

environment.apply()

from argon2 import PasswordHasher  # noqa: E402  the environment comes first
from chalice.app import Chalice  # noqa: E402

from chalicelib.core import aws, clock, db, limits, log, passwords  # noqa: E402
from chalicelib.core.config import config  # noqa: E402
from chalicelib.kernel.billing import gateway  # noqa: E402
from chalicelib.products.marketplace.domains import gateway as domains  # noqa: E402
from local import postgres  # noqa: E402
from local.lambdas import for_many_threads  # noqa: E402
from local.postgres import Server  # noqa: E402
from local.stripe.fake import Settings  # noqa: E402
from local.stripe.server import serve  # noqa: E402
from tests.support import database  # noqa: E402
from tests.support.api import Api  # noqa: E402
from tests.support.cloud import Cloud  # noqa: E402
from tests.support.internet import Internet  # noqa: E402
from tests.support.stripe import Stripe  # noqa: E402

DEAD_LETTERS = ("queue_sizes", "look_into", "move_messages")
"""What of `aws` stands in `Cloud` besides sending."""


@dataclass
class World:
    """The program, its database server, its Stripe, its queues and mail, and what it logs."""

    app: Chalice
    server: Server
    stripe: Stripe
    cloud: Cloud
    folder: Path

    @property
    def api(self) -> Api:
        """A client that is not signed in."""
        return Api(self.app)

    @property
    def log_path(self) -> Path:
        """The file that the program's log lines go to."""
        return self.folder / "log"

    def empty(self) -> None:
        """Forget all that happened: rows, messages, mails, counted rates, the clock."""
        clock.follow(clock.real_time)
        self.stripe.fake.set_clock(0)
        self.stripe.sent = {event["id"] for event in self.stripe.events()}
        self.cloud.__dict__ |= Cloud(self.app).__dict__
        limits.forget()
        database.clean()


@contextmanager
def world(
    name: str = "kith_proofs", *, durable: bool = False, quick: bool = True
) -> Iterator[World]:
    """A world of one's own, with all products; gone at the end.

    `durable` data survives a crash of the server. With `quick`, passwords are hashed by
    parameters that cost nothing.
    """
    with ExitStack() as stack:
        stack.enter_context(_restored("DATABASE_URL"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kith-proofs-")))
        home = folder / "postgres"
        stack.callback(postgres.discard, home)
        server = stack.enter_context(postgres.running(home, durable=durable))
        database.fresh(server, name)
        stripe = Stripe(stack.enter_context(serve(_stripe_settings(folder))))
        stripe.fake.set_delivery_mode("drop")
        os.environ["STRIPE_API_BASE"] = stripe.fake.url
        config.cache_clear()
        gateway._client.cache_clear()  # noqa: SLF001  made for another address
        import app as program  # noqa: PLC0415  not before its environment

        for_many_threads(program.app)
        cloud = Cloud(program.app)
        stream = stack.enter_context((folder / "log").open("w", encoding="utf-8"))
        changes: list[tuple[Any, str, Any]] = [
            (aws, "send_message", cloud.send_message),
            (aws, "send_mail", cloud.send_mail),
            *((aws, name, getattr(cloud, name)) for name in DEAD_LETTERS),
            (domains, "network", Internet()),
            (log, "stream", stream),
        ]
        if quick:
            hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
            changes.append((passwords, "_hasher", lambda: hasher))
        for module, attribute, value in changes:
            stack.enter_context(replaced(module, attribute, value))
        stack.callback(db.close)
        yield World(program.app, server, stripe, cloud, folder)


@contextmanager
def _restored(variable: str) -> Iterator[None]:
    """A variable of the environment is afterwards what it was."""
    before = os.environ.get(variable)
    try:
        yield
    finally:
        os.environ.pop(variable, None)
        if before is not None:
            os.environ[variable] = before


@contextmanager
def replaced(owner: Any, attribute: str, value: Any) -> Iterator[None]:
    """Another thing stands in place of an attribute meanwhile: how most faults are planted."""
    before = getattr(owner, attribute)
    setattr(owner, attribute, value)
    try:
        yield
    finally:
        setattr(owner, attribute, before)


def _stripe_settings(folder: Path) -> Settings:
    return Settings(
        state=folder / "stripe.db",
        webhook_url="http://127.0.0.1:9/",
        webhook_secrets=[environment.WEBHOOK_SECRET],
        durable=False,
    )
