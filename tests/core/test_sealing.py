"""Sealing: what only its owner's key opens, in the row it stands in, unaltered."""

import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from chalicelib.core import aws, sealing
from chalicelib.core.config import Config
from chalicelib.core.sealing import CannotOpen, new_data_key, seal, unseal, unwrap

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
ROW, OTHER_ROW = "tests.things.secret:1", "tests.things.secret:2"
PLAIN = "São Paulo, +55 11 98765-4321".encode()


@pytest.fixture
def master(settings: Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A way to have another master key."""

    def put(told: str) -> None:
        monkeypatch.setattr(sealing, "config", lambda: replace(settings, master_key=told))
        sealing._master_key.cache_clear()  # noqa: SLF001  read once a process

    yield put
    monkeypatch.undo()
    sealing._master_key.cache_clear()  # noqa: SLF001


@pytest.mark.parametrize("plain", [PLAIN, b"", b"\x00" * 100_000])
def test_what_was_sealed_comes_back(plain: bytes) -> None:
    assert unseal(KEY, ROW, seal(KEY, ROW, plain)) == plain


def test_the_same_is_never_sealed_alike() -> None:
    sealed = {seal(KEY, ROW, PLAIN) for _ in range(1000)}
    assert len(sealed) == 1000
    assert not any(PLAIN in one for one in sealed)


def test_another_key_or_row_does_not_open_it() -> None:
    sealed = seal(KEY, ROW, PLAIN)
    for key, row in ((OTHER_KEY, ROW), (KEY, OTHER_ROW), (KEY, ""), (KEY, ROW + " ")):
        with pytest.raises(CannotOpen):
            unseal(key, row, sealed)


def test_no_altered_bit_goes_unnoticed() -> None:
    sealed = seal(KEY, ROW, b"short")
    for at in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[at // 8] ^= 1 << at % 8
        with pytest.raises(CannotOpen):
            unseal(KEY, ROW, bytes(altered))


def test_nothing_cut_short_or_longer_opens() -> None:
    sealed = seal(KEY, ROW, PLAIN)
    for length in range(len(sealed)):
        with pytest.raises(CannotOpen):
            unseal(KEY, ROW, sealed[:length])
    with pytest.raises(CannotOpen):
        unseal(KEY, ROW, sealed + b"\x00")
    with pytest.raises(CannotOpen):
        unseal(KEY, ROW, os.urandom(64))


def test_a_data_key_opens_only_under_the_master_key_and_in_its_row(
    master: Callable[[str], None],
) -> None:
    master(base64.b64encode(KEY).decode())
    key, wrapped = new_data_key(ROW)
    assert len(key) == 32
    assert key not in wrapped
    assert unwrap(ROW, wrapped) == key
    with pytest.raises(CannotOpen):
        unwrap(OTHER_ROW, wrapped)
    master(base64.b64encode(OTHER_KEY).decode())
    with pytest.raises(CannotOpen):
        unwrap(ROW, wrapped)


def test_every_data_key_is_another(settings: Config) -> None:
    assert len({new_data_key(ROW) for _ in range(100)}) == 100


def test_a_master_key_may_be_wrapped_by_kms_and_is_unwrapped_once(
    master: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def decrypt(wrapped: str) -> bytes:
        asked.append(wrapped)
        return KEY

    monkeypatch.setattr(aws, "kms_decrypt", decrypt)
    master("kms:d3JhcHBlZA==")
    key, wrapped = new_data_key(ROW)
    assert unwrap(ROW, wrapped) == unseal(KEY, ROW, wrapped) == key
    assert asked == ["d3JhcHBlZA=="]


@pytest.mark.parametrize("told", ["", base64.b64encode(b"short").decode(), "not base64!"])
def test_a_master_key_that_is_none_is_refused(master: Callable[[str], None], told: str) -> None:
    master(told)
    with pytest.raises((RuntimeError, ValueError)):
        new_data_key(ROW)
