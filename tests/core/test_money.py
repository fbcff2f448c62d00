"""Money: whole minor units of one currency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.core.money import Money


def usd(amount: int) -> Money:
    return Money(amount=amount, currency="USD")


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=20))
def test_sums_lose_no_minor_unit(amounts: list[int]) -> None:
    total = usd(0)
    for amount in amounts:
        total += usd(amount)
    assert total == usd(sum(amounts))


def test_two_currencies_are_never_added() -> None:
    with pytest.raises(ValueError, match="two currencies"):
        usd(1) + Money(amount=1, currency="BRL")


@pytest.mark.parametrize("amount", [2**63, -(2**63) - 1])
def test_a_sum_beyond_64_bits_is_refused(amount: int) -> None:
    half = amount // 2
    with pytest.raises(ValidationError):
        usd(half) + usd(amount - half)


@pytest.mark.parametrize(
    "raw",
    [
        '{"amount": 19.90, "currency": "USD"}',
        '{"amount": 1990.0, "currency": "USD"}',
        '{"amount": "1990", "currency": "USD"}',
        '{"amount": true, "currency": "USD"}',
        '{"amount": null, "currency": "USD"}',
        '{"amount": 1e3, "currency": "USD"}',
        '{"amount": NaN, "currency": "USD"}',
        '{"amount": 9223372036854775808, "currency": "USD"}',
        '{"amount": 1990, "currency": "usd"}',
        '{"amount": 1990, "currency": "US"}',
        '{"amount": 1990, "currency": "USDT"}',
        '{"amount": 1990, "currency": "USD\\n"}',
        '{"amount": 1990, "currency": "\\uff35\\uff33\\uff24"}',
        '{"amount": 1990, "currency": 840}',
        '{"amount": 1990}',
        '{"amount": 1990, "currency": "USD", "cents": 1}',
    ],
)
def test_what_is_no_money_is_refused(raw: str) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate_json(raw)


def test_money_reads_and_writes_as_it_is_documented() -> None:
    written = '{"amount":1990,"currency":"BRL"}'
    assert Money.model_validate_json(written).model_dump_json() == written
    with pytest.raises(ValidationError):
        usd(1).amount = 2  # type: ignore[misc]
