"""Talking to a driver below units of work, and finding out whether it reads its own replies."""

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
