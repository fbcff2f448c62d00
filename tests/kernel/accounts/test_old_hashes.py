"""Hashes of an older store: taken at sign-in, replaced by it, and not to be told by the time."""

import bcrypt
import pytest

from chalicelib.core import db, passwords
from chalicelib.core.driver import Call
from tests.support import database
from tests.support.api import Api
from tests.support.people import PASSWORD, Person

PATH = "/v1/auth/sessions"


def store(who: Person, password: str, *, kind: bytes = b"2b", cost: int = 4) -> None:
    """What an older store kept of a password, which read 72 bytes of it."""
    hashed = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(cost)).replace(
        b"$2b$", b"$%b$" % kind
    )
    database.execute(
        "update accounts.users set password_hash = $1 where id = $2", hashed.decode(), who.id
    )


def sign_in(api: Api, who: Person, password: str) -> int:
    return api.post(PATH, {"email": who.email, "password": password}).status


@pytest.fixture
def old_checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was held against old hashes."""
    seen: list[str] = []
    check = passwords._matches_old  # noqa: SLF001  counted, not replaced

    def count(stored: str, password: str) -> bool:
        seen.append(stored)
        return check(stored, password)

    monkeypatch.setattr(passwords, "_matches_old", count)
    return seen


@pytest.mark.parametrize("kind", [b"2a", b"2b", b"2y"])
def test_an_old_hash_is_taken_and_replaced(api: Api, ana: Person, kind: bytes) -> None:
    store(ana, PASSWORD, kind=kind)
    assert sign_in(api, ana, "not the password") == 401
    assert sign_in(api, ana, PASSWORD) == 201
    ((now,),) = database.execute("select password_hash from accounts.users")
    assert now.startswith("$argon2id$")
    assert sign_in(api, ana, PASSWORD) == 201
    assert sign_in(api, ana, "not the password") == 401


def test_a_long_password_is_taken_as_far_as_the_old_store_looked(api: Api, ana: Person) -> None:
    long = "wild horses " * 8
    store(ana, long)
    assert sign_in(api, ana, long[:71]) == 401
    assert sign_in(api, ana, long) == 201
    assert sign_in(api, ana, long[:72]) == 401
    assert sign_in(api, ana, long) == 201


def test_as_long_as_there_are_old_hashes_everybody_is_held_against_one(
    api: Api, ana: Person, ben: Person, old_checks: list[str]
) -> None:
    store(ben, PASSWORD)
    for email in (ana.email, ben.email, "nobody@kith.example"):
        before = len(old_checks)
        assert api.post(PATH, {"email": email, "password": "a guess"}).status == 401
        assert len(old_checks) == before + 1
        assert old_checks[-1].startswith("$2b$04$")
    assert sign_in(api, ana, PASSWORD) == 201
    assert sign_in(api, ben, PASSWORD) == 201
    old_checks.clear()
    assert sign_in(api, ana, PASSWORD) == 201
    assert old_checks == []


def test_of_several_kinds_the_dearest_is_held_against_everybody(
    api: Api, ana: Person, ben: Person, newcomer: Person, old_checks: list[str]
) -> None:
    for who, cost in ((ana, 4), (ben, 6), (newcomer, 5)):
        store(who, PASSWORD, cost=cost)
    assert api.post(PATH, {"email": "nobody@kith.example", "password": "a guess"}).status == 401
    assert old_checks[-1].startswith("$2b$06$")


def test_an_old_hash_serves_wherever_the_password_is_asked_for(ana: Person) -> None:
    store(ana, PASSWORD)
    body = {"current_password": PASSWORD, "password": "tame zebras at dusk"}
    assert ana.api.put("/v1/me/password", body).status == 204


def test_no_hash_is_old_enough_to_be_no_hash(api: Api, ana: Person) -> None:
    for broken in ("$2b$", "$2b$04$short", "$2b$99$" + "x" * 53, "", "plain"):
        database.execute("update accounts.users set password_hash = $1", broken)
        assert sign_in(api, ana, PASSWORD) == 401
    database.execute("update accounts.users set password_hash = null")
    assert sign_in(api, ana, PASSWORD) == 401


def test_which_kinds_are_left_is_read_from_an_index(api: Api, ana: Person) -> None:
    # A table of one row is read whole unless that is out of the question.
    replies = db.session.ready().exchange(
        [
            [
                Call(b"set local enable_seqscan = off"),
                Call(
                    b'explain (costs off) select "left"(password_hash, 7) from accounts.users'
                    b" where \"left\"(password_hash, 2) = '$2' order by 1 desc limit 1"
                ),
            ]
        ]
    )
    plan = [row[0] for row in replies[0][1].rows]
    assert any("users_old_hash" in line for line in plan)
