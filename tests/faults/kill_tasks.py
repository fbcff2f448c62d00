"""What a process that may be killed is told: how it is forked, and what it is to do."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

Kind = Literal["request", "handler", "function"]


@dataclass(frozen=True)
class Order:
    """A Lambda to be forked: the point it dies at (0: none), and the fault planted in it."""

    kill_at: int
    plant: str | None


@dataclass(frozen=True)
class Task:
    """A request, an event for the handler called `name`, or a call of the function `module:name`.

    `ahead` is how far its clock is ahead, `records` what DNS says meanwhile.
    """

    kind: Kind
    name: str
    given: tuple[Any, ...]
    named: dict[str, Any]
    ahead: timedelta
    records: dict[str, list[str]]
