"""A database, a cloud and a Stripe for the tests, and clients to call the program by."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import environment

environment.apply()

from chalice.app import Chalice  # noqa: E402  the environment comes first

from chalicelib.core import aws, clock, db, limits, log  # noqa: E402
from chalicelib.core.config import config  # noqa: E402
from chalicelib.kernel.billing import gateway  # noqa: E402
from local import postgres  # noqa: E402
from local.postgres import Server  # noqa: E402
from local.stripe.fake import Settings  # noqa: E402
from local.stripe.server import serve  # noqa: E402
from tests.support import database  # noqa: E402
from tests.support.api import Api  # noqa: E402
from tests.support.cloud import Cloud  # noqa: E402
from tests.support.people import Person, person  # noqa: E402
from tests.support.stripe import Stripe  # noqa: E402


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL of this worker's own."""
    home = Path(tempfile.mkdtemp(prefix="kith-tests-"))
    with postgres.running(home, durable=False) as running:
        yield running
    postgres.discard(home)


@pytest.fixture(scope="session")
def migrated(server: Server) -> str:
    """A migrated database."""
    return database.fresh(server, "kith_tests")


@pytest.fixture(scope="session")
def fake_stripe() -> Iterator[Stripe]:
    """The Stripe fake, once for all tests."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            state=Path(folder) / "stripe.db",
            webhook_url="http://127.0.0.1:9/",
            webhook_secrets=[environment.WEBHOOK_SECRET],
            durable=False,
        )
        with serve(settings) as fake:
            fake.set_delivery_mode("drop")
            yield Stripe(fake)


@pytest.fixture(scope="session")
def app(migrated: str, fake_stripe: Stripe) -> Chalice:
    """The program, with every product."""
    from os import environ  # noqa: PLC0415  what the fake is at is known only now

    environ["STRIPE_API_BASE"] = fake_stripe.fake.url
    config.cache_clear()
    gateway._client.cache_clear()  # noqa: SLF001  made for another address
    import app as program  # noqa: PLC0415  not before its environment

    return program.app


@pytest.fixture
def cloud(app: Chalice, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Queues and mail in memory."""
    made = Cloud(app)
    monkeypatch.setattr(aws, "send_message", made.send_message)
    monkeypatch.setattr(aws, "send_mail", made.send_mail)
    return made


@pytest.fixture
def stripe(fake_stripe: Stripe) -> Stripe:
    """The Stripe fake, as it was left: ids tell tests apart."""
    fake_stripe.sent = {event["id"] for event in fake_stripe.events()}
    return fake_stripe


@pytest.fixture
def api(app: Chalice, cloud: Cloud) -> Iterator[Api]:
    """A client that is not signed in; what the test leaves in the database goes."""
    limits.forget()
    yield Api(app)
    clock.follow(clock.real_time)
    database.clean()


@pytest.fixture
def ana(api: Api) -> Person:
    """Somebody verified."""
    return person(api)


@pytest.fixture
def ben(api: Api) -> Person:
    """Somebody else, verified."""
    return person(api)


@pytest.fixture
def log_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file that log lines of this test go to."""
    path = tmp_path / "log"
    with path.open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(log, "stream", stream)
        yield path


@pytest.fixture(scope="session", autouse=True)
def connection_closed() -> Iterator[None]:
    """Leave no connection behind."""
    yield
    db.close()
