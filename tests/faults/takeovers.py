"""An address that somebody else had an account with first: it is its owner's in the end, or nobody's.

Whoever signs up with a stranger's address, or asks for it as their own account's, waits for the
stranger to click what is mailed, sign up or set a password; and must not be in afterwards.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from itertools import count, cycle, islice, product
from typing import Any

from chalicelib.core import ids, limits
from chalicelib.core.db import Transactions
from chalicelib.kernel.accounts import service as accounts
from chalicelib.kernel.accounts.schemas import Verification, Verified
from chalicelib.kernel.accounts.sessions import service as sessions
from tests.faults.proof import Findings, walk
from tests.faults.world import World, replaced
from tests.support import people
from tests.support.api import Answer, Api
from tests.support.people import PASSWORD, Person

_numbers = count(1)
OWNERS = "slow trains at noon"
"""The password that the address's owner chooses."""

Before = Callable[[World, str], Person]
Step = Callable[[World, str], Any]


def signed_up(world: World, address: str) -> Person:
    """The other signed up with the address."""
    return people.person(world.api, verified=False, email=address)


def asked_for_it(world: World, address: str) -> Person:
    """The other has a verified account, and asked for the address as its new one."""
    return _asking(world, address, people.person(world.api))


def asked_unverified(world: World, address: str) -> Person:
    """The same with an account whose own address was never verified."""
    return _asking(world, address, people.person(world.api, verified=False))


def signed_up_and_asked(world: World, address: str) -> Person:
    """The other signed up with the address, and asked for one of theirs as its new one."""
    return _asking(world, f"forger{next(_numbers)}@kith.example", signed_up(world, address))


def _asking(world: World, address: str, who: Person) -> Person:
    world.cloud.deliver()
    body = {"email": address, "password": PASSWORD}
    assert who.api.post("/v1/me/email_changes", body).status == HTTPStatus.ACCEPTED
    return who


def _post(world: World, path: str, **body: str) -> Answer:
    limits.forget()
    return Api(world.app, address=f"198.51.100.{next(_numbers) % 250}").post(path, body)


def clicks(world: World, address: str) -> None:
    """Click every link that was mailed to confirm it, with a password of one's own."""
    for mail in _mails(world, address, "Confirm"):
        _post(world, "/v1/auth/verifications", token=mail, password=OWNERS)


def signs_up(world: World, address: str) -> None:
    """Sign up."""
    _post(world, "/v1/auth/sign_ups", email=address, password=OWNERS)


def has_it_mailed_again(world: World, address: str) -> None:
    """Ask for the mail once more."""
    _post(world, "/v1/auth/verification_requests", email=address)


def resets(world: World, address: str) -> None:
    """Set a new password by mail."""
    _post(world, "/v1/auth/password_resets", email=address)
    for mail in _mails(world, address, "Choose a new password"):
        _post(world, "/v1/auth/passwords", token=mail, password=OWNERS)


def _mails(world: World, address: str, subject: str) -> list[str]:
    world.cloud.deliver()
    return [
        mail.token
        for mail in world.cloud.mails
        if mail.recipient.lower() == address.lower() and mail.subject.startswith(subject)
    ]


BEFORE: tuple[Before, ...] = (signed_up, asked_for_it, asked_unverified, signed_up_and_asked)
STEPS: tuple[tuple[Step, ...], ...] = (
    (clicks,),
    (signs_up, clicks),
    (has_it_mailed_again, clicks),
    (resets,),
    (clicks, resets),
    (signs_up, clicks, resets, clicks),
    (resets, has_it_mailed_again, clicks),
)
SPELLINGS: tuple[Callable[[str], str], ...] = (str, str.upper, str.title)


def keep_others_out(world: World, tries: int, findings: Findings) -> None:
    """So many lives of an address, each ending with a look at who is in."""
    lives = islice(cycle(product(BEFORE, STEPS, SPELLINGS)), tries)
    for before, steps, spell in walk(lives, findings, tries, "lives"):
        world.empty()
        address = f"owner{next(_numbers)}@kith.example"
        other = before(world, spell(address))
        for step in steps:
            step(world, address)
        told = f"{before.__name__}, then {', '.join(step.__name__ for step in steps)}"
        findings.hold(not _is_in(world, other, address), f"{told}: the other is in")
        if resets in steps and before not in {asked_for_it, asked_unverified}:
            answer = _post(world, "/v1/auth/sessions", email=address, password=OWNERS)
            findings.hold(answer.status == HTTPStatus.CREATED, f"{told}: the owner is not in")
        findings.count("lives")


def _is_in(world: World, other: Person, address: str) -> bool:
    """Whether the other, by any secret they have, is in an account whose verified address this is."""
    # A link of theirs that still waits is theirs to use.
    for mail in world.cloud.mails:
        if mail.recipient.startswith("forger"):
            _post(world, "/v1/auth/verifications", token=mail.token, password=PASSWORD)
    keys = [other.api.token]
    for path, body in (
        ("/v1/auth/sessions/refresh", {"refresh_token": other.refresh_token}),
        ("/v1/auth/sessions", {"email": other.email, "password": PASSWORD}),
        ("/v1/auth/sessions", {"email": address, "password": PASSWORD}),
    ):
        answer = _post(world, path, **body)
        keys += [answer.json["access_token"]] if "access_token" in answer.text else []
    seen = [Api(world.app, token=key).get("/v1/me") for key in keys]
    return any(
        one.status == HTTPStatus.OK
        and one.json["email_verified"]
        and one.json["email"].lower() == address.lower()
        for one in seen
    )


@contextmanager
def a_click_is_enough() -> Iterator[None]:
    """A mailed link confirms the address, whatever the password of the account is."""

    def verify(transactions: Transactions, data: Verification) -> Verified:
        hashed = ids.token_hash(data.token)
        stored = transactions.read(accounts._password_behind, hashed)  # noqa: SLF001  as it was
        return transactions.write(accounts._verify, hashed, stored)  # noqa: SLF001

    with replaced(accounts, "verify_email", verify):
        yield


@contextmanager
def old_sessions_stay() -> Iterator[None]:
    """A new password that was set by mail leaves the sessions there are."""
    with replaced(sessions, "end_all", lambda *_told, **_but: None):
        yield
