"""What the program says to the database, listened to on the way."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from chalicelib.core.driver import Driver, Group, Reply


@contextmanager
def listening() -> Iterator[list[str]]:
    """The statements sent within, in their order."""
    heard: list[str] = []
    exchange = Driver.exchange

    def listen(driver: Driver, groups: Sequence[Group]) -> list[list[Reply]]:
        heard.extend(call.sql.decode() for group in groups for call in group)
        return exchange(driver, groups)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Driver, "exchange", listen)
        yield heard
