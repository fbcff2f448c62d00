"""Who makes a request of the document, and with which of the ids that there are."""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from schemathesis.core.parameters import ParameterLocation

from tests.faults.attacks.undoing import undo_for_all
from tests.faults.conformance.document import Case
from tests.faults.described.scene import Call, Description, Scene
from tests.support.people import Person

UNDO_EVERY = 40


class Turn(NamedTuple):
    """One request to be made: a case, by somebody."""

    case: Case
    by: Person | None


class Callers:
    """Those who call one operation: whoever may, a member, an admin, somebody not signed in."""

    def __init__(self, scene: Scene, description: Description, preparations: int) -> None:
        self._scene, self._description = scene, description
        self._preparations = preparations
        self._others: list[Person | None] = [scene.person(), scene.staff("admin"), None]
        self._random = random.Random(description.operation)
        self._call = self._prepared()
        self._turns = 0

    def turns(self, case: Case) -> Iterator[Turn]:
        """Somebody makes the request as it is; then whoever may does, about what there is."""
        self._turns += 1
        if self._turns % UNDO_EVERY == 0:
            undo_for_all()
        yield Turn(case, self._others[self._turns % len(self._others)])
        self._fill(case)
        yield Turn(case, self._call.by)

    def used(self, turn: Turn) -> None:
        """A call succeeded; where it was the one prepared, it would not do so again."""
        rightful = turn.by is self._call.by
        if rightful and self._preparations > 0 and self._description.registered.method != "GET":
            self._preparations -= 1
            self._call = self._prepared()

    def _prepared(self) -> Call:
        undo_for_all()
        return self._description.prepare(self._scene)

    def _fill(self, case: Case) -> None:
        """Put what there is in the places of a case that are as they should be."""
        wrong = (
            {place for place, part in case.meta.components.items() if part.mode.is_negative}
            if case.meta
            else set()
        )
        if ParameterLocation.PATH not in wrong and self._call.path:
            case.path_parameters = {name: str(value) for name, value in self._call.path.items()}
        if wrong:
            return
        query = dict(case.query or {})
        if self._random.random() < 0.5:
            query.pop("cursor", None)
        if self._random.random() < 0.5:
            query |= {name: self._written(value) for name, value in self._call.query.items()}
        case.query = query
        if isinstance(case.body, dict) and isinstance(self._call.body, dict):
            kept = {
                name: value
                for name, value in self._call.body.items()
                if self._random.random() < 0.7
            }
            case.body = {**case.body, **kept}

    @staticmethod
    def _written(value: object) -> Any:
        return value if isinstance(value, (list, int)) else str(value)
