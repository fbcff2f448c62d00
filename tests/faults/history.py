"""Statements that would rewrite the ledger, each of which the database has to refuse."""

import itertools
from collections.abc import Iterator
from typing import Any

from chalicelib.core import db
from chalicelib.core.driver import BEGIN, ROLLBACK, Call, DatabaseError
from chalicelib.kernel.billing.ledger.tables import credit_transfers
from tests.faults.world import World
from tests.kernel.billing.lives import bought, refund, spend, staff
from tests.support import database
from tests.support.people import credit, person

RESTRICT_VIOLATION = "23001"

_TRANSFERS = "billing.credit_transfers"
_OF_ROWS = (
    f"delete from {_TRANSFERS} where id = $1",
    f"delete from only {_TRANSFERS} where id = $1 returning id",
    (
        f"delete from {_TRANSFERS} t using billing.credit_accounts a"
        " where a.id = t.credit_account_id and t.id = $1"
    ),
    f"with gone as (delete from {_TRANSFERS} where id = $1 returning id) select id from gone",
    f"update {_TRANSFERS} set amount = amount + 1 where id = $1",
    f"update {_TRANSFERS} set amount = amount * 2, key = key || '.' where id = $1",
    (
        f"update {_TRANSFERS} set debit_account_id = credit_account_id,"
        " credit_account_id = debit_account_id where id = $1"
    ),
    (
        f"with changed as (update {_TRANSFERS} set amount = 1 where id = $1 returning id)"
        " select id from changed"
    ),
    (
        f"insert into {_TRANSFERS} select * from {_TRANSFERS} where id = $1"
        " on conflict (id) do update set amount = excluded.amount + 1"
    ),
    (
        f"insert into {_TRANSFERS} select * from {_TRANSFERS} where id = $1"
        " on conflict (key) do update set created_at = excluded.created_at"
    ),
    (
        f"merge into {_TRANSFERS} t using (select $1::uuid as id) given on t.id = given.id"
        " when matched then delete"
    ),
    (
        f"merge into {_TRANSFERS} t using (select $1::uuid as id) given on t.id = given.id"
        " when matched then update set amount = t.amount + 1"
    ),
    *(
        f"update {_TRANSFERS} set {column.name} = {column.name} where id = $1"
        for column in credit_transfers.columns
    ),
)
_OF_ALL = (
    f"delete from {_TRANSFERS}",
    f"delete from {_TRANSFERS} where false",
    f"update {_TRANSFERS} set amount = amount",
    f"update {_TRANSFERS} set amount = 1 where false",
    f"truncate {_TRANSFERS}, marketplace.contact_reveals",
    f"truncate {_TRANSFERS} cascade",
    f"truncate {_TRANSFERS} restart identity cascade",
    "truncate billing.credit_accounts cascade",
    "truncate billing.payments cascade",
    "truncate accounts.users cascade",
    f"truncate billing.checkouts, billing.payments, {_TRANSFERS} cascade",
)


def make(world: World) -> None:
    """A ledger with a transfer of every reason."""
    buyer, finance = person(world.api), staff(world.api)
    paid = bought(buyer, world.stripe, world.cloud)
    spend(buyer, 8)
    given = refund(finance, paid, 450).json["external_id"]
    credit(buyer, 12)
    spent = spend(buyer, 3)
    assert spent
    world.stripe.fake.fail_refund(given)
    world.stripe.send_webhooks(world.api)
    world.cloud.deliver()


def standing() -> list[tuple[Any, ...]]:
    """Every transfer, with a digest of it."""
    return database.execute(f"select id, md5(t::text) from {_TRANSFERS} t order by id")


def refused(statement: str, values: list[Any]) -> str:
    """The SQLSTATE by which a statement was refused, or nothing; what it did is rolled back."""
    groups = [[BEGIN, Call(statement.encode(), values)], [ROLLBACK]]
    try:
        db.session.ready().exchange(groups)
    except DatabaseError as refusal:
        return refusal.sqlstate
    return ""


def attacks(count: int) -> Iterator[tuple[str, list[Any]]]:
    """So many statements with their values, over and over against one transfer after the other."""
    rows = itertools.cycle(database.execute(f"select id from {_TRANSFERS} order by id"))
    every = itertools.cycle([*_OF_ALL, *_OF_ROWS])
    for statement in itertools.islice(every, count):
        yield statement, list(next(rows)) if "$1" in statement else []
