"""One JSON line for each request, message, job run and failure; never a name, address or body."""

import json
import sys
import traceback
from typing import TextIO

from chalicelib.core import clock

Value = str | int | float | bool | None | list[str]

stream: TextIO = sys.stdout
_encode = json.JSONEncoder(separators=(",", ":")).encode


def line(event: str, **fields: Value) -> None:
    """Write one line. Fields hold ids, codes and numbers; what is None is left out."""
    entry: dict[str, Value] = {
        "at": clock.real_time().isoformat(timespec="milliseconds"),
        "event": event,
    }
    entry |= {name: value for name, value in fields.items() if value is not None}
    stream.write(_encode(entry) + "\n")
    stream.flush()


def frames(error: BaseException) -> list[str]:
    """Where an error came from, innermost last: places only, since messages may hold data."""
    found: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        places = [
            f"{frame.filename.rpartition('/chalicelib/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(cause.__traceback__)
        ]
        found = [f"{type(cause).__module__}.{type(cause).__qualname__}", *places, *found]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return found
