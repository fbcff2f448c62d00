"""Who may call what: 401 before 400, 403 before 404, and all of it before the work."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from chalice.app import Blueprint, Chalice

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import NotFound
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Access, Anonymous, Optional, Rate, Staff, User, Verified
from chalicelib.core.schemas import Schema
from tests.support import database
from tests.support.api import Api
from tests.support.notes import add, kept
from tests.support.people import Person, give_role, person
from tests.support.program import program_of

NOBODY = f"/{UUID(int=9)}"
MODERATOR = Staff("moderator", product="marketplace")
ANY_PRODUCT = Staff("support")
OF_THE_PATH = Staff("finance", product="{product}")

laboured: list[int] = []

pytestmark = pytest.mark.usefixtures("scratch")


class Number(Schema):
    """What comes in."""

    number: int


class Seen(Schema):
    """What an operation saw of its caller."""

    caller: UUID | None = None
    verified: bool | None = None


def define(blueprint: Blueprint) -> None:
    """The same work, for callers of every kind."""

    def with_access(name: str, access: Access) -> None:
        def work(db: Connection, caller: Caller, thing_id: UUID, body: Number) -> Seen:
            """Add a note, and find nothing."""
            add(db, body.number)
            raise NotFound

        work.__name__ = name
        endpoint(blueprint, "POST", f"/v1/tests/{name}/{{thing_id}}", caller=access)(work)

    with_access("user", User)
    with_access("verified", Verified)
    with_access("moderator", MODERATOR)
    with_access("support", ANY_PRODUCT)

    @endpoint(blueprint, "GET", "/v1/tests/products/{product}", caller=OF_THE_PATH)
    def finance(db: Connection, product: str, caller: Caller) -> Seen:
        """Look into a product's books."""
        db.settle()
        return Seen(caller=caller.id)

    @endpoint(blueprint, "GET", "/v1/tests/optional", caller=Optional)
    def optional(db: Connection, caller: Caller | None) -> Seen:
        """Tell whom one sees."""
        if caller is None:
            return Seen()
        db.settle()
        return Seen(caller=caller.id, verified=caller.state.verified)

    @endpoint(blueprint, "GET", "/v1/tests/state", caller=User)
    def state(db: Connection, caller: Caller) -> Seen:
        """Look at the caller before anything is known."""
        return Seen(verified=caller.state.verified)

    @endpoint(blueprint, "GET", "/v1/tests/hasty", caller=User)
    def hasty(db: Connection, caller: Caller) -> Seen:
        """Refuse before the database was asked."""
        raise NotFound

    @endpoint(blueprint, "POST", "/v1/tests/labour", caller=Anonymous, rates=(Rate(1, 60),))
    def labour(db: Connection, body: Number) -> Seen:
        """Do what is dear before the first statement."""
        laboured.append(body.number)
        return Seen()

    @endpoint(blueprint, "POST", "/v1/tests/dear", caller=Anonymous, rates=(Rate(1, 60),))
    def dear(transactions: Transactions, body: Number) -> Seen:
        """Add a note, after what has to hold was checked."""
        transactions.settle()
        transactions.write(add, body.number)
        return Seen()


@pytest.fixture(scope="module")
def program(app: Chalice) -> Iterator[Chalice]:
    """An app with those endpoints."""
    with program_of(define) as built:
        yield built


def at(program: Chalice, who: Person) -> Api:
    """The same person, at the test's own program."""
    return Api(program, token=who.api.token)


@pytest.mark.parametrize("name", ["user", "verified", "moderator", "support"])
def test_a_stranger_is_401_whatever_else_is_wrong(program: Chalice, api: Api, name: str) -> None:
    client = Api(program)
    path = f"/v1/tests/{name}{NOBODY}"
    for raw in (b'{"number": 1}', b'{"number": "x"}', b"nonsense", b"[" * 70_000):
        assert client.call("POST", path, raw=raw).code == "not_signed_in"
        assert (
            client.call("POST", path, raw=raw, headers={"authorization": "Bearer x"}).status == 401
        )
    assert kept() == []


def test_who_may_call_and_finds_nothing_is_404_and_leaves_nothing(
    program: Chalice, ana: Person
) -> None:
    answer = at(program, ana).post(f"/v1/tests/user{NOBODY}", {"number": 1})
    assert (answer.status, answer.code) == (404, "not_found")
    assert kept() == []


def test_403_comes_before_404_and_before_the_works_effect(
    program: Chalice, api: Api, ana: Person
) -> None:
    newcomer = at(program, person(api, verified=False))
    for name in ("verified", "moderator", "support"):
        answer = newcomer.post(f"/v1/tests/{name}{NOBODY}", {"number": 1})
        assert (answer.status, answer.code) == (403, "not_verified")
    for name in ("moderator", "support"):
        answer = at(program, ana).post(f"/v1/tests/{name}{NOBODY}", {"number": 1})
        assert (answer.status, answer.code) == (403, "not_allowed")
    assert kept() == []


@pytest.mark.parametrize(
    ("role", "product", "moderator", "support"),
    [
        ("moderator", "marketplace", 404, 403),
        ("moderator", "all", 404, 403),
        ("moderator", "dating", 403, 403),
        ("support", "marketplace", 403, 403),
        ("support", "all", 403, 404),
        ("admin", "marketplace", 404, 403),
        ("admin", "all", 404, 404),
        ("finance", "all", 403, 403),
    ],
)
def test_staff_hold_a_role_for_a_product_or_for_all(
    *, program: Chalice, ana: Person, role: str, product: str, moderator: int, support: int
) -> None:
    give_role(ana, role, product)
    found = [
        at(program, ana).post(f"/v1/tests/{name}{NOBODY}", {"number": 1}).status
        for name in ("moderator", "support")
    ]
    assert found == [moderator, support]


def test_the_path_may_name_the_product(program: Chalice, ana: Person) -> None:
    give_role(ana, "finance", "dating")
    client = at(program, ana)
    assert client.get("/v1/tests/products/dating").json["caller"] == str(ana.id)
    for other in ("marketplace", "all", "dating%20", "%64ating2", "", "{product}"):
        assert client.get(f"/v1/tests/products/{other}").status in {403, 404}


def test_a_role_that_is_taken_away_is_gone_at_the_next_request(
    program: Chalice, ana: Person
) -> None:
    give_role(ana, "moderator")
    path = f"/v1/tests/moderator{NOBODY}"
    assert at(program, ana).post(path, {"number": 1}).status == 404
    database.execute("delete from accounts.staff_roles where user_id = $1", ana.id)
    assert at(program, ana).post(path, {"number": 1}).status == 403


def test_where_signing_in_is_optional_a_bad_token_is_refused_all_the_same(
    program: Chalice, ana: Person
) -> None:
    nobody = Api(program)
    assert nobody.get("/v1/tests/optional").json == {"caller": None, "verified": None}
    assert at(program, ana).get("/v1/tests/optional").json == {
        "caller": str(ana.id),
        "verified": True,
    }
    assert nobody.get("/v1/tests/optional", headers={"authorization": "Bearer x"}).status == 401
    assert ana.api.delete("/v1/auth/sessions/current").status == 204
    assert at(program, ana).get("/v1/tests/optional").status == 401


def test_nobody_looks_at_a_caller_before_the_database_was_asked(
    program: Chalice, ana: Person
) -> None:
    assert at(program, ana).get("/v1/tests/state").status == 500


def test_a_refusal_before_the_first_statement_comes_after_who_one_is(
    program: Chalice, ana: Person
) -> None:
    client = at(program, ana)
    assert client.get("/v1/tests/hasty").status == 404
    assert ana.api.delete("/v1/auth/sessions/current").status == 204
    assert client.get("/v1/tests/hasty").status == 401


def test_what_nobody_may_ask_for_again_is_not_begun(program: Chalice, api: Api) -> None:
    client = Api(program, address="203.0.113.98")
    answers = [client.post("/v1/tests/labour", {"number": number}).status for number in (1, 2)]
    assert (answers, laboured) == ([200, 429], [1])


def test_what_is_dear_can_be_checked_first(program: Chalice, api: Api) -> None:
    client = Api(program, address="203.0.113.99")
    answers = [client.post("/v1/tests/dear", {"number": number}).status for number in (1, 2)]
    assert answers == [200, 429]
    assert kept() == [1]
