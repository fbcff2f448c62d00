"""A program whose operations move something under a key: each takes one more note."""

from collections.abc import Callable
from typing import Any

from chalice.app import Blueprint

from chalicelib.core.auth import Caller
from chalicelib.core.db import Connection, Transactions
from chalicelib.core.errors import NotFound
from chalicelib.core.http import AttemptKey, endpoint
from chalicelib.core.operations import User
from chalicelib.core.schemas import Schema
from tests.support import database
from tests.support.api import Answer, Api
from tests.support.notes import sql

PATH = "/v1/tests/notes/red"
CALLS = "/v1/tests/calls"
NEXT = sql(
    "insert into scratch.notes select count(*) + 1, :note from scratch.notes returning id", "id"
)


class Order(Schema):
    """What is asked for."""

    note: str
    refused: bool = False


class Receipt(Schema):
    """What came of it."""

    number: int
    note: str


class Interference:
    """What happens in the middle of the work: tests put it there."""

    def __init__(self) -> None:
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self.provider: Callable[[str], None] = lambda _key: None

    def clear(self) -> None:
        """Let the work go through undisturbed."""
        self.__dict__ |= Interference().__dict__


middle = Interference()


def note_down(unit: Connection, order: Order) -> Receipt:
    """The effect: one more note, with the next number."""
    middle.before()
    row = unit.one(NEXT, note=order.note)
    assert row is not None
    middle.after()
    if order.refused:
        raise NotFound
    return Receipt(number=row[0], note=order.note)


def define(blueprint: Blueprint) -> None:
    """Operations under which something moves."""

    @endpoint(blueprint, "POST", "/v1/tests/notes/{colour}", caller=User, status=201, moves=True)
    def order(db: Connection, caller: Caller, colour: str, body: Order) -> Receipt:
        """Take one more note."""
        return note_down(db, body)

    @endpoint(blueprint, "POST", "/v1/tests/secrets", caller=User, moves=True, stores_answer=False)
    def secret(db: Connection, caller: Caller, body: Order) -> Receipt:
        """Tell what may not be kept; asked again, tell it again."""
        known = db.one(sql("select id from scratch.notes where note = :note", "id"), note=body.note)
        return Receipt(number=known[0], note=body.note) if known else note_down(db, body)

    @endpoint(blueprint, "POST", "/v1/tests/calls", caller=User, status=201, moves=True)
    def call(transactions: Transactions, caller: Caller, key: AttemptKey, body: Order) -> Receipt:
        """Talk to a provider between two transactions."""
        transactions.read(lambda unit: unit.settle())
        middle.provider(key)
        return transactions.write(note_down, body)


def notes() -> int:
    """How many there are."""
    return int(database.execute("select count(*) from scratch.notes")[0][0])


def keys() -> list[tuple[Any, ...]]:
    """What is kept of the attempts."""
    return database.execute("select owner, key, state, status, body from core.idempotency_keys")


def post(client: Api, key: str | None = "one", path: str = PATH, **body: Any) -> Answer:
    """An attempt."""
    return client.post(path, {"note": "x"} | body, key=key)
