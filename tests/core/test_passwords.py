"""Passwords: argon2id as OWASP has it, old hashes taken as long as they are about."""

import bcrypt
import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from chalicelib.core import passwords

PASSWORD = "wild horses at dawn"


def old_hash(password: str, kind: str = "2b") -> str:
    """What an older store would hold."""
    made = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(rounds=4)).decode()
    return made.replace("$2b$", f"${kind}$", 1)


def test_a_hash_is_argon2id_at_owasps_cost() -> None:
    told = extract_parameters(passwords.hash_of(PASSWORD))
    assert (told.type.name, told.memory_cost, told.time_cost, told.parallelism) == (
        "ID",
        19 * 1024,
        2,
        1,
    )
    assert passwords.hash_of(PASSWORD) != passwords.hash_of(PASSWORD)


def test_only_the_password_itself_matches() -> None:
    stored = passwords.hash_of(PASSWORD)
    assert passwords.matches(stored, PASSWORD)
    for other in (PASSWORD + " ", PASSWORD.upper(), PASSWORD[:-1], "", "\x00", "é"):
        assert not passwords.matches(stored, other)


def test_every_character_counts_beyond_the_72nd_too() -> None:
    stored = passwords.hash_of("x" * 100 + "a" + "y" * 27)
    assert not passwords.matches(stored, "x" * 100 + "b" + "y" * 27)
    assert not passwords.matches(stored, "x" * 72)


def test_nobodys_password_is_never_right() -> None:
    for password in (PASSWORD, "", "nobody knows this"):
        assert not passwords.matches(None, password)


@pytest.mark.parametrize("stored", ["", "nonsense", "$argon2id$v=19$m=1", "$2b$04$short"])
def test_a_broken_hash_matches_nothing(stored: str) -> None:
    assert not passwords.matches(stored, PASSWORD)


@pytest.mark.parametrize("kind", ["2a", "2b", "2y"])
def test_an_old_hash_is_taken_and_outdated(kind: str) -> None:
    stored = old_hash(PASSWORD, kind)
    assert passwords.matches(stored, PASSWORD)
    assert not passwords.matches(stored, PASSWORD + "!")
    assert passwords.is_outdated(stored)


def test_nobodys_hashes_take_as_long_as_somebodys(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(passwords._NOBODYS, PASSWORD)  # noqa: SLF001  shown to nobody
    held: list[bytes] = []
    monkeypatch.setattr(bcrypt, "checkpw", lambda _password, stored: held.append(stored))
    passwords.matches(None, PASSWORD, "$2b$12$")
    (stored,) = held
    assert (stored[:7], len(stored)) == (b"$2b$12$", len(old_hash(PASSWORD)))


def test_while_old_hashes_are_about_todays_and_nobodys_are_judged_as_ever() -> None:
    kind = old_hash(PASSWORD)[: passwords.OLD_KIND_LENGTH]
    assert passwords.matches(passwords.hash_of(PASSWORD), PASSWORD, kind)
    assert not passwords.matches(passwords.hash_of(PASSWORD), "else", kind)
    assert not passwords.matches(None, PASSWORD, kind)
    assert passwords.matches(old_hash(PASSWORD), PASSWORD, kind)


def test_a_hash_of_other_parameters_is_outdated() -> None:
    assert not passwords.is_outdated(passwords.hash_of(PASSWORD))
    assert passwords.is_outdated(
        PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    )


def test_what_everybody_tries_first_is_common_in_any_case() -> None:
    for password in ("password", "Password1", "12345678", "QWERTYUIOP"):
        assert passwords.is_common(password)
    assert not passwords.is_common(PASSWORD)


def test_the_list_holds_three_thousand_that_are_long_enough() -> None:
    common = passwords._common()  # noqa: SLF001  nobody else counts them
    assert len(common) == 3000
    assert min(map(len, common)) >= passwords.MIN_LENGTH
    assert all(one == one.lower() for one in common)
