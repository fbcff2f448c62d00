"""Ids that sort by their making, and secrets that nobody guesses."""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.core import clock, ids
from tests.support.races import at_once

NOON = datetime(2026, 11, 20, 12, 0, 0, 123_000, tzinfo=UTC)


@pytest.fixture
def noon() -> Iterator[None]:
    """A clock that stands still."""
    clock.follow(clock.frozen(NOON))
    yield
    clock.follow(clock.real_time)


def milliseconds(identifier: int) -> int:
    return identifier >> 80


def test_an_id_is_a_uuid_of_version_7_that_holds_the_clocks_time(noon: None) -> None:
    clock.follow(clock.frozen(NOON + timedelta(days=400)))
    made = ids.uuid7()
    expected = int((NOON + timedelta(days=400)).timestamp() * 1000)
    for one in (made, *(ids.uuid7() for _ in range(100))):
        assert (one.version, one.variant) == (7, "specified in RFC 4122")
    assert milliseconds(made.int) == expected
    clock.follow(clock.real_time)


def test_ids_of_one_millisecond_sort_as_they_were_made(noon: None) -> None:
    made = [ids.uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == 20_000


def test_ids_sort_by_the_time_that_goes_by() -> None:
    made = [ids.uuid7() for _ in range(20_000)]
    assert made == sorted(made)


def test_ids_sort_though_the_clock_steps_back_a_little() -> None:
    try:
        made = []
        for step in (0, 1, -1, 0, -500, 2, 1, 3):
            clock.follow(clock.frozen(NOON + timedelta(days=900, milliseconds=step)))
            made += [ids.uuid7() for _ in range(10)]
        assert made == sorted(made)
    finally:
        clock.follow(clock.real_time)


def test_a_clock_that_was_moved_back_far_is_believed() -> None:
    try:
        clock.follow(clock.frozen(NOON + timedelta(days=1000)))
        ids.uuid7()
        clock.follow(clock.frozen(NOON))
        assert milliseconds(ids.uuid7().int) == int(NOON.timestamp() * 1000)
    finally:
        clock.follow(clock.real_time)


def test_the_clock_may_step_back_ten_seconds() -> None:
    noon = NOON + timedelta(days=1100)
    try:
        for back, counted in ((0, 0), (10_000, 0), (10_001, 10_001)):
            clock.follow(clock.frozen(noon - timedelta(milliseconds=back)))
            expected = int(noon.timestamp() * 1000) - counted
            assert milliseconds(ids.uuid7().int) == expected
    finally:
        clock.follow(clock.real_time)


def test_threads_never_make_the_same_id(noon: None, database_url: str) -> None:
    made = at_once([lambda: [ids.uuid7() for _ in range(2000)]] * 8, connections=8)
    assert len({one for some in made for one in some}) == 16_000
    assert all(some == sorted(some) for some in made)


def test_62_bits_of_an_id_are_random(noon: None) -> None:
    ones = [0] * 62
    for _ in range(4000):
        tail = ids.uuid7().int & ((1 << 62) - 1)
        for bit in range(62):
            ones[bit] += tail >> bit & 1
    assert all(1700 < count < 2300 for count in ones)


def test_secrets_are_long_url_safe_and_never_the_same() -> None:
    made = {ids.secret_token() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"[\w-]{43}", one) for one in made)


def test_only_a_hash_of_a_secret_is_kept() -> None:
    token = ids.secret_token()
    assert ids.token_hash(token) == hashlib.sha256(token.encode()).hexdigest()
    assert ids.token_hash(token) != ids.token_hash(token + " ")
