"""What the trials of the program stand on: a PostgreSQL with a migrated database to copy."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import postgres
from local.postgres import Server
from tests.mutants.mutant import ROOT

_TEMPLATE = "kith_mutants"

# The migrations run once, in a process of their own: nothing of the program is loaded here.
_PREPARE = """
import sys
from tests.support import environment
environment.apply()
from tests.support import database
database.use(sys.argv[1])
database.migrate()
"""


class Copies:
    """A plugin that hands out copies of the migrated database, each as it was at first."""

    def __init__(self, server: Server, slot: int) -> None:
        self._server, self._slot = server, slot

    def pytest_collection_finish(self) -> None:
        """Stand in for what makes a database and migrates it."""
        from chalicelib import registry  # noqa: PLC0415  the mutant, if it is one of its modules
        from chalicelib.core import db, outbox  # noqa: PLC0415
        from chalicelib.core.config import config  # noqa: PLC0415
        from tests.support import database  # noqa: PLC0415

        def fresh(server: Server, name: str) -> str:
            own = f"{name}_{self._slot}"
            postgres.drop_database(self._server, own)
            postgres.create_database(self._server, own, _TEMPLATE)
            url = database.url_of(self._server, own)
            database.use(url)
            db.write(outbox.sync_subscriptions, registry.subscribers(config()))
            return url

        pytest.MonkeyPatch().setattr(database, "fresh", fresh)


class Warm:
    """A server that runs, for any number of trials."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def plugins(self, slot: int) -> list[object]:
        """The copies; tests that ask for a server get this one."""
        os.environ["DATABASE_URL"] = self._server.admin_url()
        return [Copies(self._server, slot)]


@contextmanager
def warm() -> Iterator[Warm]:
    """A server with a migrated database, gone at the end."""
    home = Path(tempfile.mkdtemp(prefix="kith-mutants-"))
    try:
        with postgres.running(home, durable=False) as server:
            postgres.drop_database(server, _TEMPLATE)
            postgres.create_database(server, _TEMPLATE)
            url = f"{server.admin_url(_TEMPLATE)}?sslmode=disable"
            subprocess.run([sys.executable, "-c", _PREPARE, url], cwd=ROOT, check=True)
            yield Warm(server)
    finally:
        postgres.discard(home)
