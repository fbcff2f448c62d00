"""One of those who spend at once: `python -m bench.spender`, over a connection of its own.

Each line it reads is an order (JSON: what to run, whose, from when and for how many seconds); it
answers how often that ran, and how often it did something. Processes, because threads of one
would wait for each other and not for the database.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Text, Uuid, bindparam, insert, literal, select, true, update

from chalicelib.core import clock
from chalicelib.core.config import config
from chalicelib.core.driver import Driver, connect
from chalicelib.core.statements import Statement, statement
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.kernel.billing.ledger.tables import credit_accounts, credit_transfers

UNIT: Literal["contact"] = "contact"


class Deed(NamedTuple):
    """A statement, and what it is given for somebody."""

    statement: Statement[Any]
    given: Callable[[UUID], dict[str, Any]]


def _spend_parameters(who: UUID) -> dict[str, Any]:
    return ledger.spend_parameters(who, UNIT, 1, key=f"bench:{uuid4()}", now=clock.now())


_spending = ledger.spending(true())
_WALLET = bindparam("wallet_id", type_=Uuid)
_AMOUNT = bindparam("credit_amount", type_=BigInteger)
DEEDS = {
    # The program's own: the balance is the condition, and the transfer is written with it.
    "spend": Deed(
        statement(select(_spending.spent.c.id).add_cte(_spending.moved)), _spend_parameters
    ),
    "update": Deed(
        statement(
            update(credit_accounts)
            .where(credit_accounts.c.id == _WALLET, credit_accounts.c.balance >= _AMOUNT)
            .values(balance=credit_accounts.c.balance - _AMOUNT)
            .returning(credit_accounts.c.id)
        ),
        lambda who: {"wallet_id": ledger.account_id("wallet", UNIT, who), "credit_amount": 1},
    ),
    "insert": Deed(
        statement(
            insert(credit_transfers)
            .values(
                id=bindparam("transfer_id", type_=Uuid),
                unit=bindparam("unit", type_=Text),
                debit_account_id=_WALLET,
                credit_account_id=bindparam("issuer_id", type_=Uuid),
                amount=_AMOUNT,
                reason=literal("spend"),
                key=bindparam("key", type_=Text),
                created_at=bindparam("now", type_=credit_transfers.c.created_at.type),
            )
            .returning(credit_transfers.c.id)
        ),
        lambda who: {
            name: value for name, value in _spend_parameters(who).items() if name != "debt_id"
        },
    ),
}


def holder(number: int) -> UUID:
    """Somebody with a wallet; 0 has the hot one."""
    return UUID(int=number)


def run(driver: Driver, order: dict[str, Any]) -> tuple[int, int]:
    """Do a deed until the time is over; how often, and how often it did something."""
    deed = DEEDS[order["deed"]]
    first, last = order["holders"]
    time.sleep(max(0.0, order["at"] - time.time()))
    end = time.perf_counter() + order["seconds"]
    tried = done = 0
    while time.perf_counter() < end:
        call = deed.statement.call(deed.given(holder(random.randint(first, last))))
        tried += 1
        done += bool(driver.exchange([[call]])[0][0].rows)
    return tried, done


def main() -> None:
    """Take orders until there are no more."""
    driver = connect(config())
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(driver, json.loads(line))) + "\n")
        sys.stdout.flush()
    driver.abandon()


if __name__ == "__main__":
    main()
