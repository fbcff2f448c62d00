"""Talking to a driver below units of work, and finding out whether it reads its own replies."""

from collections.abc import Callable
from functools import partial
from typing import Any

from chalicelib.core.driver import Call, Driver, Row


def ask(driver: Driver, sql: str, *values: Any) -> list[Row]:
    """The rows of one statement, in autocommit."""
    return driver.exchange([[Call(sql.encode(), values)]])[0][0].rows


def answers_its_own(driver: Driver) -> bool:
    """Whether each of several statements, known and new to it, gets its own rows back."""
    return all(
        ask(driver, "select $1::int, 'probe'", number) == [(number, "probe")]
        and ask(driver, f"select {number} as other") == [(number,)]
        for number in range(3)
    )


def line_of(driver: Driver) -> Any:
    """The socket that a driver speaks through."""
    return driver._usock  # noqa: SLF001  tests look at what nobody else may touch


def tamper(driver: Driver, receive: Callable[[Any, int], bytes]) -> None:
    """Have a driver receive by `receive(socket, most)`."""
    driver._replies._receive = partial(receive, line_of(driver))  # noqa: SLF001
