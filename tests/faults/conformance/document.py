"""Requests made from the OpenAPI document: at every bound of it, and any that fits or doesn't."""

import itertools
import json
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.schemas import OpenApiSchema

Case = schemathesis.Case[Any]
Operation = APIOperation[Any, Any, Any, Any]

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"

_MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@cache
def _schema() -> OpenApiSchema:
    return schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text(encoding="utf-8")))


@cache
def documented() -> dict[str, Operation]:
    """The operations of the committed document, by name."""
    found = [one.ok() for one in _schema().get_all_operations() if isinstance(one, Ok)]
    return {one.definition.raw["operationId"]: one for one in found}


def cases(operation: Operation, most: int) -> Iterator[Case]:
    """So many cases: those at the bounds first, as far as they go, evenly if there are too many."""
    bounds = list(_at_bounds(operation))
    step = max(1, len(bounds) // max(1, most))
    taken = bounds[::step][:most]
    yield from taken
    left = most - len(taken)
    if left >= _WORTH_IT:
        for mode, number in ((_MODES[0], left - left // 2), (_MODES[1], left // 2)):
            yield from _generated(operation, mode, number)


_WORTH_IT = 8
"""To make a strategy costs as much as several cases."""


def _at_bounds(operation: Operation) -> Iterator[Case]:
    told = _schema().config.generation_for(operation=operation, phase="coverage")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from _schema().iter_coverage_cases(
            operation,
            generation_modes=_MODES,
            generation_config=told,
            extra_data_source=None,
            error_feedback=None,
            session=None,
        )


def _generated(operation: Operation, mode: GenerationMode, number: int) -> list[Case]:
    """The same ones each time."""
    found: list[Case] = []

    @settings(
        max_examples=number,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def keep(case: Case) -> None:
        found.append(case)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            keep()
        except Unsatisfiable:
            # What takes anything at all has no case that doesn't fit.
            return []
    return list(itertools.islice(found, number))
