"""How long answers take: whether an address has an account must not be heard in that either.

Runs alone, with passwords hashed as dearly as in production.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import NamedTuple

from chalicelib.core import db, limits, passwords
from chalicelib.core.db import Connection
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.accounts.queries import USER_BY_EMAIL
from chalicelib.kernel.accounts.schemas import Accepted, SignUp
from tests.faults.proof import Findings, Planted, Proof
from tests.faults.world import World, replaced, world
from tests.support import people
from tests.support.api import Api

ALONE = True
WORLD = partial(world, quick=False)

_numbers = count(1)
_APART = 0.05
_LONGER = 6


class Question(NamedTuple):
    """Something that is asked about an address, and how often it may be about the same."""

    name: str
    path: str
    about: Callable[[str], dict[str, str]]
    times: int


def _with(password: str) -> Callable[[str], dict[str, str]]:
    return lambda address: {"email": address, "password": password}


_QUESTIONS = (
    Question("sign-in", "/v1/auth/sessions", _with("not this one"), 3),
    Question("sign-up", "/v1/auth/sign_ups", _with(people.PASSWORD), 1),
    Question("reset", "/v1/auth/password_resets", lambda address: {"email": address}, 3),
    Question("verification", "/v1/auth/verification_requests", lambda one: {"email": one}, 3),
)


def _told_apart(here: World, tries: int, findings: Findings) -> None:
    """So many pairs of each question; more where that few tell nothing from apart by chance."""
    for question in _QUESTIONS:
        here.empty()
        known, unknown = _Asked(here, question), _Asked(here, question)
        for batch in range(1, _LONGER + 1):
            _pairs(here, question, tries, known, unknown)
            findings.count("pairs", tries)
            findings.progress(batch, _LONGER, f"batches of {question.name}, at most")
            if abs(known.longer_than(unknown) - 0.5) <= _APART:
                break
        auc = known.longer_than(unknown)
        findings.measure(f"AUC of {question.name}", f"{auc:.3f}")
        told = f"{question.name}: a stopwatch tells with an AUC of {auc:.3f}"
        findings.hold(abs(auc - 0.5) <= _APART, told)


def _pairs(
    here: World, question: Question, number: int, known: "_Asked", unknown: "_Asked"
) -> None:
    addresses = [_address() for _ in range(-(-number // question.times))]
    others = [_address() for _ in addresses]
    _open_accounts(addresses)
    here.cloud.queues.clear()
    gc.collect()
    for pair in range(number):
        at = pair // question.times
        # In turn who is first: whatever else the machine does meets both alike.
        for asked, address in ((known, addresses[at]), (unknown, others[at]))[:: 1 - pair % 2 * 2]:
            asked.ask(address)


def _address() -> str:
    return f"person{next(_numbers):06}@kith.example"


def _open_accounts(addresses: list[str]) -> None:
    """Accounts that nobody has verified yet, all with one hash as dear as any."""
    hashed = passwords.hash_of(people.PASSWORD)
    with replaced(passwords, "hash_of", lambda _password: hashed):
        for address in addresses:
            db.write(accounts.sign_up, SignUp(email=address, password=people.PASSWORD))


class _Asked:
    """How long one kind of address took to ask about."""

    def __init__(self, here: World, question: Question) -> None:
        self._here, self._question = here, question
        self.seconds: list[float] = []

    def ask(self, address: str) -> None:
        """Ask once more."""
        limits.forget()
        client = Api(self._here.app, address=f"2001:db8::{next(_numbers):x}")
        body = self._question.about(address)
        started = time.perf_counter()
        client.post(self._question.path, body)
        self.seconds.append(time.perf_counter() - started)

    def longer_than(self, other: "_Asked") -> float:
        """How often one of ours takes longer than one of theirs (AUC, Mann-Whitney's U as a share)."""
        ours, theirs = self.seconds, other.seconds
        ranked = sorted([(one, True) for one in ours] + [(one, False) for one in theirs])
        ranks = sum(rank for rank, (_, is_ours) in enumerate(ranked, 1) if is_ours)
        return (ranks - len(ours) * (len(ours) + 1) / 2) / (len(ours) * len(theirs))


@contextmanager
def _no_hash_for_nobody() -> Iterator[None]:
    """Where there is no account there is nothing to compare a password with."""
    matches = passwords.matches

    def naive(stored: str | None, password: str, old_kind: str | None = None) -> bool:
        return stored is not None and matches(stored, password, old_kind)

    with replaced(passwords, "matches", naive):
        yield


@contextmanager
def _known_addresses_first() -> Iterator[None]:
    """A sign-up looks first whether the address is known, and has done then."""
    sign_up = accounts.sign_up

    def naive(unit: Connection, data: SignUp) -> Accepted:
        known = unit.one(USER_BY_EMAIL, email=data.email)
        return Accepted() if known else sign_up(unit, data)

    with replaced(accounts, "sign_up", naive):
        yield


PROOFS = (
    Proof(
        name="timing.addresses",
        promise="A stopwatch does not tell whether somebody else's address has an account.",
        run=_told_apart,
        full=300,
        short=60,
        planted=(
            Planted("no password is hashed for nobody", _no_hash_for_nobody, tries=20),
            Planted("a known address is answered first", _known_addresses_first, tries=20),
        ),
    ),
)
