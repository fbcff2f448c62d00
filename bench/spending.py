"""Spending a credit with its ledger row, over 16 connections at once.

On one hot row beside a bare UPDATE of it, on many rows beside a bare INSERT into the ledger, each
by the same driver; each of them stands when it is answered, as money must, so the disk is waited
for as it is where Kith is deployed. Then a wallet of some hundred credits is emptied by all of them: as many
spends may succeed as there were credits.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, NamedTuple

from bench.figures import Figure, Tell
from bench.spender import UNIT, holder
from chalicelib.kernel.billing.ledger.service import account_id
from tests.faults.world import World, world
from tests.support import database

TITLE = "P9 Spending with its ledger row, by 16 connections"
CONNECTIONS = 16
ROUNDS = 7
SECONDS = 1.0
WALLETS = 10_000
CREDITS = 500

_HOT, _COLD, _SCARCE = 0, (1, WALLETS), WALLETS + 1
_ACCOUNT = """
    insert into billing.credit_accounts
        (id, holder_kind, holder_id, unit, kind, balance, created_at)
    select id, 'user', holder, $1, 'wallet', balance, '2026-11-20T00:00:00Z'
    from unnest($2::uuid[], $3::uuid[], $4::bigint[]) as told (id, holder, balance)"""


class Order(NamedTuple):
    """What all of them do at once, and whose wallets are concerned."""

    deed: str
    first: int
    last: int


SPEND_HOT, UPDATE_HOT = Order("spend", _HOT, _HOT), Order("update", _HOT, _HOT)
SPEND_MANY, INSERT_MANY = Order("spend", *_COLD), Order("insert", *_COLD)


def WORLD(_tell: Tell) -> AbstractContextManager[World]:  # noqa: N802  what bench.process looks for
    """A world whose commits are on disk when they are answered."""
    return world("kith_bench", durable=True)


def measure(_here: World, tell: Tell) -> list[Figure]:
    """Medians of how much is done in a second."""
    _open_wallets()
    orders = [SPEND_HOT, UPDATE_HOT, SPEND_MANY, INSERT_MANY]
    done: dict[Order, list[float]] = {order: [] for order in orders}
    with _spenders() as spenders:
        for number in range(ROUNDS):
            for order in random.sample(orders, len(orders)):
                done[order].append(sum(_told(spenders, order, SECONDS)) / SECONDS)
            tell(f"{number + 1} of {ROUNDS} rounds")
        spent = sum(_told(spenders, Order("spend", _SCARCE, _SCARCE), SECONDS))
    rate = {order: statistics.median(rates) for order, rates in done.items()}
    return [
        Figure("on one row", rate[SPEND_HOT], "a second", 0.85, at_most=False,
               peer=rate[UPDATE_HOT], peer_is="bare UPDATE"),
        Figure("on many rows", rate[SPEND_MANY], "a second", 0.70, at_most=False,
               peer=rate[INSERT_MANY], peer_is="bare INSERT"),
        Figure(f"spent beyond {CREDITS} credits", spent - CREDITS + _left(), bound=0),
    ]  # fmt: skip


def _open_wallets() -> None:
    holders = [holder(number) for number in range(WALLETS + 2)]
    wallets = [account_id("wallet", UNIT, one) for one in holders]
    balances = [1_000_000_000] * (WALLETS + 1) + [CREDITS]
    database.execute(_ACCOUNT, UNIT, wallets, holders, balances)
    database.execute("vacuum analyze billing.credit_accounts")


def _left() -> int:
    """What the scarce wallet still holds; below zero if it was overspent."""
    wallet = account_id("wallet", UNIT, holder(_SCARCE))
    sql = "select balance from billing.credit_accounts where id = $1"
    ((balance,),) = database.execute(sql, wallet)
    return int(balance)


@contextmanager
def _spenders() -> Iterator[list["subprocess.Popen[str]"]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "bench.spender"],
                    env=os.environ,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(CONNECTIONS)
        ]


def _told(spenders: list["subprocess.Popen[str]"], order: Order, seconds: float) -> list[int]:
    """How often each of them did something."""
    told: dict[str, Any] = {
        "deed": order.deed,
        "holders": [order.first, order.last],
        "seconds": seconds,
        # When all have read this.
        "at": time.time() + 0.2,
    }
    for one in spenders:
        assert one.stdin is not None
        one.stdin.write(json.dumps(told) + "\n")
        one.stdin.flush()
    done = []
    for one in spenders:
        assert one.stdout is not None
        _, successes = json.loads(one.stdout.readline())
        done.append(successes)
    return done
