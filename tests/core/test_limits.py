"""Rate limits: exact for each address, caller and field, however many knock at once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from chalice.app import Blueprint, Chalice

from chalicelib.core import clock, db, jobs, limits
from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection
from chalicelib.core.errors import NotFound, TooManyRequests
from chalicelib.core.http import endpoint
from chalicelib.core.operations import Anonymous, Rate, User
from chalicelib.core.schemas import Schema
from tests.support import database
from tests.support.api import Api
from tests.support.notes import sql
from tests.support.people import Person
from tests.support.program import program_of
from tests.support.races import many

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


class Asked(Schema):
    """What a limit may go by."""

    email: str


def define(blueprint: Blueprint) -> None:
    """An endpoint for each kind of limit."""

    @endpoint(blueprint, "GET", "/v1/tests/by_address", caller=Anonymous, rates=(Rate(3, 60),))
    def by_address(db: Connection) -> Asked:
        """Count addresses."""
        return Asked(email="")

    @endpoint(blueprint, "GET", "/v1/tests/elsewhere", caller=Anonymous, rates=(Rate(3, 60),))
    def elsewhere(db: Connection) -> Asked:
        """Count addresses of its own."""
        return Asked(email="")

    @endpoint(
        blueprint,
        "POST",
        "/v1/tests/by_field",
        caller=Anonymous,
        rates=(Rate(100, 60), Rate(2, 3600, by="body.email")),
    )
    def by_field(db: Connection, body: Asked) -> Asked:
        """Count addresses and e-mail addresses."""
        if body.email.startswith("nobody"):
            raise NotFound
        return body

    @endpoint(
        blueprint, "GET", "/v1/tests/by_caller", caller=User, rates=(Rate(2, 60, by="caller"),)
    )
    def by_caller(db: Connection, caller: Caller) -> Asked:
        """Count callers."""
        return Asked(email="")

    @endpoint(blueprint, "GET", "/v1/tests/crowded", caller=Anonymous, rates=(Rate(50, 60),))
    def crowded(db: Connection) -> Asked:
        """Be asked by everybody at once."""
        return Asked(email="")


@pytest.fixture(scope="module")
def program(app: Chalice) -> Iterator[Chalice]:
    """An app with those endpoints."""
    with program_of(define) as built:
        yield built


@pytest.fixture
def client(program: Chalice, api: Api) -> Api:
    """A client of it, at noon."""
    clock.follow(clock.frozen(NOON + timedelta(seconds=20)))
    return Api(program)


def statuses(client: Api, path: str, times: int) -> list[int]:
    return [client.get(path).status for _ in range(times)]


def test_an_address_has_so_many_requests_a_window(client: Api) -> None:
    assert statuses(client, "/v1/tests/by_address", 5) == [200, 200, 200, 429, 429]
    refused = client.get("/v1/tests/by_address")
    assert refused.code == "too_many_requests"
    assert refused.headers["Retry-After"] == "40"
    clock.follow(clock.frozen(NOON + timedelta(seconds=59, milliseconds=900)))
    assert client.get("/v1/tests/by_address").headers["Retry-After"] == "1"
    clock.follow(clock.frozen(NOON + timedelta(seconds=60)))
    assert statuses(client, "/v1/tests/by_address", 4) == [200, 200, 200, 429]


def test_operations_and_addresses_are_counted_apart(client: Api, program: Chalice) -> None:
    assert statuses(client, "/v1/tests/by_address", 4)[-1] == 429
    assert statuses(client, "/v1/tests/elsewhere", 1) == [200]
    assert statuses(Api(program, address="203.0.113.8"), "/v1/tests/by_address", 1) == [200]
    assert statuses(Api(program, address="2001:db8::1"), "/v1/tests/by_address", 1) == [200]


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "Via"],
)
def test_an_address_is_what_api_gateway_saw_and_no_header(client: Api, header: str) -> None:
    answers = [
        client.get("/v1/tests/by_address", headers={header: f"198.51.100.{number}"}).status
        for number in range(5)
    ]
    assert answers == [200, 200, 200, 429, 429]


def test_a_field_has_so_many_requests_whoever_sends_it(client: Api, program: Chalice) -> None:
    def post(email: str, address: str) -> int:
        return Api(program, address=address).post("/v1/tests/by_field", {"email": email}).status

    assert [post("a@x.example", f"203.0.113.{number}") for number in range(4)] == [
        200,
        200,
        429,
        429,
    ]
    assert post("A@X.Example", "203.0.113.200") == 429
    assert post("b@x.example", "203.0.113.200") == 200


def test_a_caller_has_so_many_requests_from_wherever(
    program: Chalice, ana: Person, ben: Person
) -> None:
    clock.follow(clock.frozen(clock.real_time()))
    for one in (ana, ben):
        clients = [
            Api(program, token=one.api.token, address=f"203.0.113.{number}") for number in range(3)
        ]
        assert [client.get("/v1/tests/by_caller").status for client in clients] == [200, 200, 429]


def test_a_refused_request_counts_though_its_work_was_rolled_back(client: Api) -> None:
    answers = [client.post("/v1/tests/by_field", {"email": "nobody@x"}).status for _ in range(3)]
    assert answers == [404, 404, 429]
    assert database.execute("select sum(hits) from core.rate_limits") == [(3 + 3,)]


def test_a_request_that_can_not_be_read_costs_the_database_nothing(client: Api) -> None:
    before = db.session.trips
    assert client.post("/v1/tests/by_field", {"email": 7}).status == 400
    assert db.session.trips == before


def test_a_flood_costs_the_database_nothing(client: Api) -> None:
    statuses(client, "/v1/tests/by_address", 4)
    before = db.session.trips
    assert set(statuses(client, "/v1/tests/by_address", 50)) == {429}
    assert db.session.trips == before


def test_another_process_finds_the_same_limit(client: Api) -> None:
    assert statuses(client, "/v1/tests/by_address", 3) == [200, 200, 200]
    limits.forget()
    assert statuses(client, "/v1/tests/by_address", 1) == [429]


def test_exact_when_two_hundred_come_at_once(client: Api) -> None:
    answers = many(200, lambda: client.get("/v1/tests/crowded").status)
    assert (answers.count(200), answers.count(429)) == (50, 150)


def test_exact_at_once_when_no_process_remembers(
    client: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_MOST_REMEMBERED", 0)
    answers = many(200, lambda: client.get("/v1/tests/crowded").status)
    assert (answers.count(200), answers.count(429)) == (50, 150)


def test_reading_first_and_counting_then_the_naive_way_lets_more_through(
    scratch: None,
) -> None:
    database.execute("insert into scratch.notes values (0, '')")
    look = sql("select id from scratch.notes", "id")
    hit = sql("update scratch.notes set id = id + 1")

    def naive() -> bool:
        def count(unit: Connection) -> bool:
            found = unit.one(look)
            assert found is not None
            if found[0] >= 50:
                return False
            unit.run(hit)
            return True

        return db.write(count)

    assert many(200, naive).count(True) > 50


def test_no_address_is_stored(client: Api) -> None:
    client.get("/v1/tests/by_address")
    client.post("/v1/tests/by_field", {"email": "canary@kith.example"})
    rows = str(database.execute("select * from core.rate_limits"))
    assert client.address not in rows
    assert "canary" not in rows


def test_windows_that_ended_are_forgotten(client: Api) -> None:
    client.get("/v1/tests/by_address")
    told = jobs.registered["core_forget_attempts"]
    assert jobs.run(told, clock.now())["rows"] == 0
    clock.follow(clock.frozen(NOON + timedelta(hours=2)))
    client.get("/v1/tests/by_address")
    assert jobs.run(told, clock.now())["rows"] == 1
    assert database.execute("select hits from core.rate_limits") == [(1,)]


def test_what_is_remembered_is_bounded(client: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MOST_REMEMBERED", 5)
    rate = Rate(0, 60)
    for number in range(20):
        with pytest.raises(TooManyRequests):
            db.run("read", lambda unit: unit.settle(), limits.prelude(rate, "x", str(number)))
    assert len(limits._full) <= 5  # noqa: SLF001  nobody else counts them
