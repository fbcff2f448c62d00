"""What a measurement found, held against its goal, as a table and as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Tell = Callable[[str], None]
"""Takes a line that says how far a measurement is."""

_TIMES = "\N{MULTIPLICATION SIGN}"
_COLUMNS = ("what", "figure", "goal", "peer", "ratio", "")


@dataclass(frozen=True)
class Figure:
    """A figure of ours, and where the goal is a ratio, that of a peer in the same run.

    `bound` is what the ratio, or without a peer the figure, may be `at_most`, or has to be at
    least. Without a bound it only informs.
    """

    what: str
    ours: float
    unit: str = ""
    bound: float | None = None
    at_most: bool = True
    peer: float | None = None
    peer_is: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's."""
        return self.ours / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.bound is None:
            return None
        judged = self.ours if self.ratio is None else self.ratio
        return judged <= self.bound if self.at_most else judged >= self.bound

    def cells(self) -> tuple[str, ...]:
        """The line of a table."""
        sign = "≤" if self.at_most else "≥"
        times = _TIMES if self.peer is not None else f" {self.unit}".rstrip()
        peer = f"{self.peer_is} {number(self.peer)} {self.unit}" if self.peer is not None else ""
        return (
            self.what,
            f"{number(self.ours)} {self.unit}".rstrip(),
            "" if self.bound is None else f"{sign} {self.bound:g}{times}",
            peer.strip(),
            "" if self.ratio is None else f"{self.ratio:.2f}{_TIMES}",
            {None: "", True: "met", False: "MISSED"}[self.met],
        )

    def as_json(self) -> dict[str, Any]:
        """What build/bench.json keeps."""
        return asdict(self) | {"ratio": self.ratio, "met": self.met}


def of_json(told: dict[str, Any]) -> Figure:
    """The figure that was kept."""
    known = {name: value for name, value in told.items() if name not in {"ratio", "met"}}
    return Figure(**known)


def number(value: float) -> str:
    """Three figures of a number, or all before the point."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(title: str, figures: Sequence[Figure]) -> str:
    """A table of figures under a title."""
    rows = [_COLUMNS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
             for row in rows]  # fmt: skip
    rule = "  ".join("-" * width for width in widths).rstrip()
    return "\n".join([title, "", lines[0], rule, *lines[1:]])
