"""What these tests stand on besides the program itself."""

from tests.support.fixtures import (
    configured,
    impatient,
    invariants_hold,
    newcomer,
    quick_passwords,
    threads_apart,
    times,
)

__all__ = [
    "configured",
    "impatient",
    "invariants_hold",
    "newcomer",
    "quick_passwords",
    "threads_apart",
    "times",
]
