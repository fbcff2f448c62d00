"""Lists that are committed beside the program, held against it line by line."""

import csv
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

Line = tuple[str, ...]


def read(path: Path, header: Line) -> list[Line]:
    """The lines of a CSV file; AssertionError if its first line is another."""
    with path.open(encoding="utf-8", newline="") as file:
        first, *lines = [tuple(line) for line in csv.reader(file)]
    assert first == header, f"{path.name} begins with {','.join(header)}"
    return lines


def text_of(line: Line) -> str:
    """A line as it stands in the file."""
    return ",".join(f'"{one}"' if "," in one else one for one in line)


def difference(listed: Iterable[Line], real: Iterable[Line]) -> list[str]:
    """What a list should lose (-) and get (+) to say what is so."""
    before, after = set(listed), set(real)
    lost = [(line, "-") for line in before - after]
    new = [(line, "+") for line in after - before]
    return [f"{sign} {text_of(line)}" for line, sign in sorted(lost + new)]


def disorder(lines: list[Line]) -> list[str]:
    """Lines that stand twice, or not in the order of the alphabet."""
    keys = [line[0] for line in lines]
    return [f"{two}: twice, or after {one}" for one, two in pairwise(keys) if one >= two]
