"""Attempts under an Idempotency-Key: whatever becomes of them, they have one effect."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import cycle, islice
from typing import Any

from sqlalchemy import insert, literal, select

from chalicelib.core import clock, db, idempotency, operations
from chalicelib.core.db import Connection, Prelude
from chalicelib.core.idempotency import Attempt
from chalicelib.core.statements import command, statement
from chalicelib.core.tables import idempotency_keys as keys
from tests.faults.attempts import CASES, concerns
from tests.faults.described import scene as scenes
from tests.faults.described.scene import Description, Scene
from tests.faults.effects import Effect, effect, picture
from tests.faults.proof import Findings, Planted, Proof, walk
from tests.faults.trials import Trial, begin_anew
from tests.faults.world import World, replaced


def _one_effect(world: World, tries: int, findings: Findings) -> None:
    """As many cells of operations and cases as there are tries, from the first on."""
    moving = _moving()
    one = {}
    for description in moving:
        begin_anew(world)
        one[description.operation] = _effect_of(world, description)
    cells = [
        (case, description)
        for case in CASES
        for description in moving
        if concerns(case, description.registered)
    ]
    for case, description in walk(islice(cycle(cells), tries), findings, tries, "cells"):
        begin_anew(world)
        name = case.__name__.replace("_", " ")
        case(Trial(world, description, one[description.operation], findings, name))
        findings.count("cells")
    findings.measure("operations", str(len(moving)))
    findings.measure("of all cells", f"{min(100, 100 * tries // len(cells))} %")


def _moving() -> list[Description]:
    """Every operation that moves money or credits, as it is described."""
    described = scenes.every()
    return [described[name] for name, one in operations.registered.items() if one.moves]


def _effect_of(world: World, description: Description) -> Effect:
    """What an operation leaves behind when nothing goes wrong."""
    call = description.prepare(Scene(world))
    before = picture(world)
    answer = scenes.make(description, call, world)
    found = effect(before, picture(world))
    if answer.status != description.registered.status or not found:
        raise AssertionError(f"{description.operation} moves nothing: {answer.text}")
    return found


_LOOK = statement(
    select(
        literal(value=False),
        keys.c.operation,
        keys.c.request_hash,
        keys.c.state,
        keys.c.status,
        keys.c.body,
        keys.c.created_at,
    ).where(idempotency._this_key)  # noqa: SLF001  the very condition
)
_RECORD = command(insert(keys))


@contextmanager
def _recorded_apart() -> Iterator[None]:
    """Look whether the key is known, work, and record the key in a transaction of its own."""

    def look(attempt: Attempt) -> Prelude[Any]:
        def check(row: tuple[Any, ...] | None) -> None:
            if row is not None:
                attempt._check(row, clock.now())  # noqa: SLF001  the very check

        return Prelude(_LOOK, {"key_owner": attempt.owner, "key_name": attempt.key}, check)

    def record(attempt: Attempt, unit: Connection, status: int, body: str) -> None:
        now = clock.now()
        told = {
            "owner": attempt.owner,
            "key": attempt.key,
            "operation": attempt.operation.name,
            "request_hash": attempt.request_hash,
            "state": "done",
            "status": status,
            "body": body,
            "created_at": now,
            "expires_at": now + idempotency.LIFE,
        }

        def write_down() -> None:
            db.write(lambda own: own.run(_RECORD, **told))

        unit.after_commit(write_down)

    with replaced(Attempt, "prelude", look), replaced(Attempt, "store", record):
        yield


def _bound_to_less(**known: str) -> Callable[[], Any]:
    """An attempt for which one of the things that it is bound to is the same for all."""

    @contextmanager
    def plant() -> Iterator[None]:
        begin = Attempt.__init__

        def begun(attempt: Attempt, *told: Any) -> None:
            begin(attempt, *told)
            attempt.__dict__ |= known

        with replaced(Attempt, "__init__", begun):
            yield

    return plant


PROOFS = (
    Proof(
        name="idempotency.one_effect",
        promise=(
            "Whatever becomes of an attempt under an Idempotency-Key (repeated, at once, cut off"
            " anywhere, killed, days later), money and credits move once, and only its owner gets"
            " its answer."
        ),
        run=_one_effect,
        full=166,
        short=62,
        planted=(
            Planted("the key is recorded after the work, apart", _recorded_apart, tries=20),
            Planted("the key is not bound to the request", _bound_to_less(request_hash=""), 10),
            Planted("the key is not bound to its owner", _bound_to_less(owner="anybody"), 15),
            Planted(
                "keys are forgotten after a day",
                lambda: replaced(idempotency, "LIFE", timedelta(days=1)),
                tries=25,
            ),
        ),
    ),
)
