"""`@trigger`: a plain function becomes a Lambda that another AWS service calls."""

import time
from collections.abc import Callable
from typing import Any

from chalice.app import Blueprint

from chalicelib.core import db, log, naming
from chalicelib.core.db import Connection

Effect = Callable[[Connection, dict[str, Any]], None]


def trigger(blueprint: Blueprint, name: str) -> Callable[[Effect], Any]:
    """Make a function a Lambda called `name`; it gets a transaction and the event as it came.

    The event is the answer, as services that ask before they go on (Cognito) want it. What is
    raised is raised to the service, which decides about trying again.
    """

    def decorate(function: Effect) -> Any:
        def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:
            started = time.perf_counter()
            failure: BaseException | None = None
            try:
                db.write(function, event)
            except BaseException as error:
                failure = error
                raise
            finally:
                log.line(
                    "trigger",
                    trigger=name,
                    ok=failure is None,
                    ms=round((time.perf_counter() - started) * 1000, 2),
                    error=log.frames(failure) if failure else None,
                )
            return event

        naming.take_the_place_of(function, handle)
        return blueprint.lambda_function(name=name)(handle)

    return decorate
