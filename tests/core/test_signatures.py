"""Signed texts: what they say, for the purpose they were made for, and nothing else."""

import base64
import string

import pytest

from chalicelib.core.signatures import keyed_hash, sign, signed_text

pytestmark = pytest.mark.usefixtures("settings")


@pytest.mark.parametrize("text", ["mailings:1", "", "São Paulo ✓", "x" * 1000, "a\x00b"])
def test_a_token_says_its_text(text: str) -> None:
    assert signed_text("unsubscribe", sign("unsubscribe", text)) == text


def test_a_token_is_good_for_its_purpose_only() -> None:
    assert signed_text("erase", sign("unsubscribe", "1")) is None


def test_no_altered_character_goes_unnoticed() -> None:
    token = sign("unsubscribe", "use:1")
    altered = [
        token[:at] + other + token[at + 1 :]
        for at in range(len(token))
        for other in "AB_-=."
        if token[at] != other
    ]
    assert [one for one in altered if signed_text("unsubscribe", one) is not None] == []


@pytest.mark.parametrize("text", ["use:1", "use:12", "use:123"])
def test_a_token_has_one_spelling(text: str) -> None:
    token = sign("unsubscribe", text)
    letters = string.ascii_letters + string.digits + "-_"
    spelled = [token[:-1] + last for last in letters] + [token + "=", token + "=="]
    assert [one for one in spelled if signed_text("unsubscribe", one) == text] == [token]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "=",
        "é",
        "!",
        "A",
        "AAAA",
        "A" * 22,
        base64.urlsafe_b64encode(b"\xff" * 40).decode(),
        "\ud800",
    ],
)
def test_a_made_up_token_says_nothing(token: str) -> None:
    assert signed_text("unsubscribe", token) is None


def test_a_hash_depends_on_purpose_and_text() -> None:
    assert keyed_hash("a", "x") == keyed_hash("a", "x")
    assert len({keyed_hash("a", "x"), keyed_hash("b", "x"), keyed_hash("a", "y")}) == 3
