"""Passwords: argon2id with OWASP's parameters, and the list of what everybody tries first.

An older store's bcrypt hashes are taken too, until their owners sign in and get today's.
"""

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

OLD_KIND_LENGTH = 7
"""How much of a bcrypt hash says its kind and cost: `$2b$12$`."""
_OLD = ("$2a$", "$2b$", "$2y$")
_NOBODYS_OLD = "bm9ib2R5IGtub3dzIHRoaOtnqyjHVn1l4aDKIvLxf6EAtkkVAvlX2"
_OLD_BYTES = 72


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


def matches(stored: str | None, password: str, old_kind: str | None = None) -> bool:
    """Whether `password` is the one hashed; takes as long for nobody's (`stored` is None).

    `old_kind` is that of the bcrypt hashes which are still about: then everybody's password is
    held against one hash of each kind, so that the time doesn't tell whose is old.
    """
    old = stored if stored is not None and stored.startswith(_OLD) else None
    by_todays = _matches_todays(None if old else stored, password)
    if old is None and old_kind is None:
        return by_todays
    by_old = _matches_old(old or f"{old_kind}{_NOBODYS_OLD}", password)
    return by_old if old else by_todays


def _matches_todays(stored: str | None, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415  see above

    try:
        _hasher().verify(stored or _NOBODYS, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _matches_old(stored: str, password: str) -> bool:
    import bcrypt  # noqa: PLC0415  only as long as there are old hashes

    try:
        # Whoever wrote the old hashes looked at 72 bytes; bcrypt refuses to be handed more.
        return bcrypt.checkpw(password.encode()[:_OLD_BYTES], stored.encode())
    except ValueError:
        return False


def is_outdated(stored: str) -> bool:
    """Whether a hash was made in another way, or with other parameters, than today's."""
    outdated: bool = stored.startswith(_OLD) or _hasher().check_needs_rehash(stored)
    return outdated
