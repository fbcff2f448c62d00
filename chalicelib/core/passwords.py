"""Passwords: argon2id with OWASP's parameters, and the list of what everybody tries first."""

from functools import cache
from pathlib import Path

_MEMORY_KIB = 19 * 1024
_PASSES = 2
_LANES = 1

MIN_LENGTH = 8
MAX_LENGTH = 128

# A hash of nothing anybody knows: checking against it takes as long as checking a real one.
_NOBODYS = (
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGtub3dzIHRoaXM$"
    "7lUkDh3zyZ0iVg2JYZ2E1zJWDWnS0hVQkRC4M0wTz0w"
)


@cache
def _hasher():  # type: ignore[no-untyped-def]  # noqa: ANN202  argon2 is imported where it is used
    from argon2 import PasswordHasher  # noqa: PLC0415  19 ms that few functions need

    return PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)


@cache
def _common() -> frozenset[str]:
    """The 3,000 commonest passwords of eight characters and more, lower case."""
    text = (Path(__file__).parent / "data" / "common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


def is_common(password: str) -> bool:
    """Whether a password is among those that guessers try first."""
    return password.lower() in _common()


def hash_of(password: str) -> str:
    """The argon2id hash to store."""
    hashed: str = _hasher().hash(password)
    return hashed


def matches(stored: str | None, password: str) -> bool:
    """Whether `password` is the one hashed; takes as long for nobody's (`stored` is None)."""
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415  see above

    try:
        _hasher().verify(stored or _NOBODYS, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    outdated: bool = _hasher().check_needs_rehash(stored)
    return outdated
