"""Many operations on money, each known by its number alone: whoever takes one up again does the same.

A block of twenty gives, spends, returns, reveals, and takes one purchase through its life.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from chalicelib.core import clock, db, ids
from chalicelib.core.auth import Caller
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.checkouts import service as checkouts
from chalicelib.kernel.billing.disputes import service as disputes
from chalicelib.kernel.billing.errors import InsufficientCredits
from chalicelib.kernel.billing.ledger import service as ledger
from chalicelib.kernel.billing.refunds import service as refunds
from chalicelib.kernel.billing.reversals import service as reversals
from chalicelib.products.marketplace.reveals import service as reveals
from tests.faults.world import World
from tests.kernel.billing.lives import SPEND
from tests.support import database
from tests.support.crowd import posts_like, strangers
from tests.support.people import person, post_of

BLOCK = 20
PRICE, CREDITS, DISPUTED = 900, 10, 500
KINDS = (
    ("grant",) * 4 + ("spend",) * 5 + ("return",) * 2 + ("reveal",) * 4
    + ("pay", "refund", "return_fails", "dispute", "decide")
)  # fmt: skip
_HOLDERS, _POSTS = 120, 40
_POPULAR = 6

_CHECKOUTS = """
    with opened as (
        insert into billing.checkouts (id, product, user_id, attempt, purpose, currency, amount,
            gateway, state, expires_at, created_at, updated_at)
        select id, 'marketplace', holder, id::text, 'contacts_10', 'USD', 900, 'stripe', 'open',
            $3, $3, $3
        from unnest($1::text[]::uuid[], $2::text[]::uuid[]) as bought (id, holder)
        returning id)
    insert into billing.checkout_lines (id, checkout_id, price_id, description, quantity,
        unit_amount, credit_unit, credit_amount)
    select gen_random_uuid(), opened.id, p.id, p.name, 1, p.amount, p.credit_unit, p.credit_amount
    from opened, billing.prices p where p.code = 'contacts_10'"""


@dataclass(frozen=True)
class Stage:
    """Whose credits move, and what there is to reveal; `seed` names the checkouts."""

    holders: list[UUID]
    posts: list[UUID]
    seed: UUID

    @staticmethod
    def of(world: World, operations: int) -> "Stage":
        """People, posts and open checkouts for so many operations."""
        first = post_of(person(world.api), world.stripe, world.cloud)
        stage = Stage(strangers(_HOLDERS), posts_like(first, _POSTS), ids.uuid7())
        blocks = range(-(-operations // BLOCK))
        named = [str(stage.checkout(block)) for block in blocks]
        buyers = [str(stage.buyer(block)) for block in blocks]
        database.execute(_CHECKOUTS, named, buyers, clock.now())
        return stage

    def checkout(self, block: int) -> UUID:
        """What is bought in a block."""
        return uuid5(self.seed, str(block))

    def holder(self, chance: random.Random) -> UUID:
        """Somebody; every other time one of few, so that they meet."""
        return chance.choice(self.holders[:_POPULAR] if chance.random() < 0.5 else self.holders)

    def buyer(self, block: int) -> UUID:
        """Who buys in a block."""
        return self.holder(random.Random(f"buyer {block}"))


@dataclass(frozen=True)
class Operation:
    """One of them; `checkout` is what its block is about, `spend` the number of one to return."""

    number: int
    kind: str
    holder: UUID
    amount: int
    post: UUID
    checkout: UUID
    spend: int

    @property
    def key(self) -> str:
        """What it is known by, however often it is tried."""
        return f"{self.kind}:{self.number}"

    @property
    def payment(self) -> str:
        """What the provider calls the payment of its checkout."""
        return f"pi_{self.checkout.hex}"


@dataclass(frozen=True)
class Purchase:
    """What becomes of the purchase of a block, when all is told."""

    block: int

    @property
    def refunded(self) -> int:
        """What is refunded, in minor units."""
        return 50 * (self.block % 7 + 1)

    @property
    def comes_back(self) -> bool:
        """Whether the refund fails in the end."""
        return self.block % 3 == 0

    @property
    def won(self) -> bool:
        """Whether its dispute ends well."""
        return self.block % 2 == 0

    @property
    def state(self) -> str:
        """The state of its payment."""
        if not self.won:
            return "disputed"
        return "succeeded" if self.comes_back else "partially_refunded"

    @property
    def credits(self) -> int:
        """The credits that are left of it."""
        gone = (0 if self.comes_back else self.refunded) + (0 if self.won else DISPUTED)
        return CREDITS - CREDITS * gone // PRICE


def planned(stage: Stage, number: int) -> Operation:
    """The operation of a number."""
    chance, block = random.Random(number), number // BLOCK
    kind = KINDS[number % BLOCK]
    earlier = chance.randrange(max(1, block - 2), block + 1) if block else 0
    return Operation(
        number,
        kind,
        stage.buyer(block) if kind in _OF_PURCHASES else stage.holder(chance),
        chance.randint(1, 6),
        chance.choice(stage.posts),
        stage.checkout(block),
        earlier * BLOCK + chance.choice([at for at in range(BLOCK) if KINDS[at] == "spend"]),
    )


def do(operation: Operation) -> str:
    """Do it; what came of it: "done", "found" done before, or "refused"."""
    return _WAYS[operation.kind](operation)


def session_of(_key: str, payment: str) -> gateway.Session:
    """The session in which a payment was made: what the provider would say."""
    named = payment.removeprefix("pi_")
    return gateway.Session(f"cs_{named}", UUID(named), True, False, payment, "card", PRICE, "USD")


def _grant(operation: Operation) -> str:
    fresh = db.write(
        lambda unit: ledger.grant(
            unit, operation.holder, "contact", operation.amount, key=operation.key
        )
    )
    return "done" if fresh else "found"


class _Known(Exception):
    """The key was used."""


def transfer_of(key: str) -> UUID | None:
    """The transfer of a key."""
    rows = database.execute("select id from billing.credit_transfers where key = $1", key)
    return rows[0][0] if rows else None


def _spend(operation: Operation) -> str:
    given = ledger.spend_parameters(
        operation.holder, "contact", operation.amount, key=operation.key, now=clock.now()
    )

    def work(unit: db.Connection) -> list[Any]:
        with db.refused(db.UNIQUE_VIOLATION, "credit_transfers_key", _Known()):
            return unit.all(SPEND, **given)

    try:
        if db.write(work):
            return "done"
    except _Known:
        return "found"
    # What a killed process had sent may have ended only now, and have taken the last credits.
    return "found" if transfer_of(operation.key) else "refused"


def _return(operation: Operation) -> str:
    spent = transfer_of(f"spend:{operation.spend}")
    if spent is None:
        return "refused"
    fresh = db.write(lambda unit: ledger.give_back(unit, spent, key=operation.key))
    return "done" if fresh else "found"


def _reveal(operation: Operation) -> str:
    caller = Caller(operation.holder, operation.holder)
    try:
        db.write(reveals.reveal_contact, caller, operation.post)
    except InsufficientCredits:
        return "refused"
    return "done"


def _apply(told: Callable[[db.Connection], object]) -> str:
    assert reversals.apply(db.Transactions(), "", told)
    return "done"


def _pay(operation: Operation) -> str:
    return _apply(partial(checkouts.apply_session, session=session_of("", operation.payment)))


def _refund(operation: Operation) -> str:
    purchase = Purchase(operation.number // BLOCK)
    failed = operation.kind == "return_fails" and purchase.comes_back
    told = gateway.Refund(
        f"re_{operation.checkout.hex}", None, operation.payment, purchase.refunded, "duplicate",
        "failed" if failed else "succeeded",
    )  # fmt: skip
    return _apply(partial(refunds.apply_refund, told=told))


def _dispute(operation: Operation) -> str:
    ended = "won" if Purchase(operation.number // BLOCK).won else "lost"
    told = gateway.Dispute(
        f"du_{operation.checkout.hex}", operation.payment, DISPUTED, "fraudulent",
        "open" if operation.kind == "dispute" else ended,
    )  # fmt: skip
    return _apply(partial(disputes.apply_dispute, told=told))


_OF_PURCHASES: dict[str, Callable[[Operation], str]] = {
    "pay": _pay, "refund": _refund, "return_fails": _refund, "dispute": _dispute,
    "decide": _dispute,
}  # fmt: skip
_WAYS = _OF_PURCHASES | {
    "grant": _grant, "spend": _spend, "return": _return, "reveal": _reveal,
}  # fmt: skip
