"""Bringing the database to the newest schema."""

import os
from pathlib import Path

from local import environment, paths, postgres, progress, single_run
from local.aws_emulator import Aws


def migrate() -> None:
    """Run the missing migrations on the database that the environment names."""
    from alembic import command as alembic  # noqa: PLC0415  half a second, at first start alone
    from alembic.config import Config  # noqa: PLC0415  comes with it

    alembic.upgrade(Config(paths.REPOSITORY / "alembic.ini"), "head")


def command(home: Path) -> None:
    """Migrate the database of the run under way, or else the one that a run would use."""
    try:
        single_run.current(home)
    except single_run.NotRunning:
        with postgres.running(home / "postgres", durable=True) as server:
            nothing = Aws("")
            made = environment.build(home, server=server, aws=nothing, stripe_url=None, port=1)
            _with(made)
    else:
        _with(environment.remembered(home))


def _with(variables: dict[str, str]) -> None:
    os.environ.update(variables)
    with progress.step("Database schema") as step:
        migrate()
        step.outcome = "newest"
