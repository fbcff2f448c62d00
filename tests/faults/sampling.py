"""Some of many things to try, where all of them would take too long."""

from collections.abc import Sequence
from typing import TypeVar

from tests.faults.described import scene
from tests.faults.described.scene import Description

T = TypeVar("T")


def spread(things: Sequence[T], number: int) -> list[T]:
    """So many of them, evenly from the first to the last; all, if there are no more."""
    if number >= len(things):
        return list(things)
    step = len(things) / number
    return [things[int((at + 0.5) * step)] for at in range(number)]


def writing(number: int) -> list[Description]:
    """So many of the operations that change something."""
    found = [one for one in scene.every().values() if one.registered.kind != "read"]
    return spread(found, number)
