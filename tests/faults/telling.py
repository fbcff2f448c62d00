"""What Stripe tells of many purchases at once: in any order, twice, late or never; and who dies of it."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from chalicelib.core import db, queues
from chalicelib.core.auth import Caller
from chalicelib.kernel.billing.checkouts import service as checkouts
from chalicelib.kernel.billing.schemas import CheckoutCreate
from tests.faults.lifecycles import Life, Purchase
from tests.faults.world import World, replaced
from tests.support import database
from tests.support.stripe import hand_in, signed
from tests.support.times import Times

Event = dict[str, Any]

PAGE_LIFE = timedelta(minutes=40)
_WEBHOOKS = "webhooks"
_PATIENCE = 12
_HANDFULS = (1, 1, 1, 2, 3, 10)
# What an endpoint is told by default, and which others now and then.
_OF_USE = ("checkout.", "refund.", "charge.refunded", "charge.dispute.", "payment_intent.payment_f")


class Killed(BaseException):
    """The process is gone."""


class Mortal(db.Transactions):
    """The transactions of a worker that may be killed at any of them, or be overtaken."""

    def __init__(self, chance: random.Random, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._place = chance.choices(
            ("", "after a look", "before commit", "after commit"), (88, 4, 4, 4)
        )[0]
        self._meanwhile = meanwhile

    def read(self, work: Callable[..., Any], *args: Any) -> Any:
        """Read, and perhaps die of it."""
        found = super().read(work, *args)
        self._die("after a look")
        return found

    def write(self, work: Callable[..., Any], *args: Any) -> Any:
        """Write what was learnt a moment ago; others may have gone on since."""
        self._meanwhile()

        def dying(unit: db.Connection, *given: Any) -> Any:
            done = work(unit, *given)
            self._die("before commit")
            return done

        done = super().write(dying, *args)
        self._die("after commit")
        return done

    def _die(self, place: str) -> None:
        if place == self._place:
            raise Killed


@dataclass
class Teller:
    """Purchases, the events of each that were not told yet, and the messages of those that were.

    With `loses`, some events are never told, and only a comparison with Stripe makes them good.
    """

    world: World
    chance: random.Random
    loses: bool
    purchases: list[Purchase] = field(default_factory=list)
    waiting: dict[str, list[Event]] = field(default_factory=dict)
    deeds: dict[str, list[str]] = field(default_factory=dict)
    owners: dict[str, Purchase] = field(default_factory=dict)
    killed: int = 0
    _newest: str = ""
    _meanwhile: Callable[[], None] = lambda: None

    def buy(self, holder: UUID, life: Life) -> None:
        """Open a checkout for a life."""
        wanted = CheckoutCreate(
            product="tests" if life.pix else "marketplace",
            code="pacote" if life.pix else "contacts_10",
        )
        opened = checkouts.buy(db.Transactions(), Caller(holder, holder), life.name, wanted)
        told = json.loads(opened.text)
        session = told["url"].rpartition("/")[2]
        self.purchases.append(Purchase(life, UUID(told["id"]), session))
        self.waiting[session] = []

    def live(self, part: str) -> None:
        """Let a part of all lives happen, all mixed up, with some of what is told of it."""
        self.deeds = {one.session: [*getattr(one.life, part)] for one in self.purchases}
        turns = [one for one in self.purchases for _ in self.deeds[one.session]]
        self.chance.shuffle(turns)
        for purchase in turns:
            self._go_on(purchase)
            self._tell(purchase, most=0.6)
            self._work()

    def tell_all(self) -> None:
        """Tell all that is left to tell, and work on it until nothing is."""
        order = self.chance.sample(self.purchases, len(self.purchases))
        for purchase in order:
            self._tell(purchase, most=1.0)
            self._work()
        while self._queue:
            self._work()

    def hear(self) -> None:
        """See what happened at Stripe by itself."""
        by_session = {one.session: one for one in self.purchases}
        for event in self._new_events():
            purchase = by_session.get(event["data"]["object"]["id"])
            if purchase is not None:
                self._note(purchase, event)

    @property
    def _queue(self) -> list[str]:
        return self.world.cloud.queues.setdefault(_WEBHOOKS, [])

    def _go_on(self, purchase: Purchase) -> None:
        """The next deed of a purchase."""
        left = self.deeds[purchase.session]
        if left:
            purchase.happen(self.world.stripe, left.pop(0))
            for event in self._new_events():
                self._note(purchase, event)

    def _new_events(self) -> list[Event]:
        with self.world.stripe.fake._fake.work() as work:  # noqa: SLF001  more than a page at once
            found: list[Event] = work.rows.select(
                "kind = 'event' and sequence > coalesce("
                "(select sequence from objects where id = ?), 0)",
                [self._newest],
                order="sequence",
                limit=-1,
            )
        self._newest = found[-1]["id"] if found else self._newest
        return found

    def _note(self, purchase: Purchase, event: Event) -> None:
        asked_for = event["type"].startswith(_OF_USE) or self.chance.random() < 0.15
        lost = self.loses and self.chance.random() < 0.5
        if asked_for and not lost:
            self.waiting[purchase.session].append(event)

    def _tell(self, purchase: Purchase, *, most: float) -> None:
        """Tell some events of a purchase in any order, some of them several times."""
        told = [one for one in self.waiting[purchase.session] if self.chance.random() < most]
        self.waiting[purchase.session] = [
            one
            for one in self.waiting[purchase.session]
            if one not in told or (most < 1 and self.chance.random() < 0.15)
        ]
        told += [one for one in told if self.chance.random() < 0.1]
        self.chance.shuffle(told)
        for event in told:
            before = len(self._queue)
            answer = hand_in(self.world.api, *signed(event))
            assert answer.status == 200, answer.text
            self.owners |= dict.fromkeys(self._queue[before:], purchase)

    def _work(self) -> None:
        """Hand a worker some messages in any order; what it leaves when it dies comes again."""
        waiting = self._queue
        count = min(len(waiting), self.chance.choice(_HANDFULS))
        taken = [waiting.pop(self.chance.randrange(len(waiting))) for _ in range(count)]
        if taken and self.chance.random() < 0.03:
            taken.pop()  # lost on its way: the schedule finds its event
        if taken and self.chance.random() < 0.05:
            taken.append(taken[0])
        owner = self.owners.get(taken[0]) if len(taken) == 1 else None
        if owner is not None and self.chance.random() < (0.8 if self.deeds[owner.session] else 0.1):
            self._take_overtaken(taken, owner)
        else:
            self._take(taken)

    def _take_overtaken(self, taken: list[str], owner: Purchase) -> None:
        """Between a worker's look at Stripe and what it writes, life goes on and another is quicker."""

        def life_goes_on() -> None:
            self._meanwhile = lambda: None
            self._go_on(owner)
            self._tell(owner, most=0.9)
            of_it = [one for one in self._queue if self.owners.get(one) is owner]
            self._queue[:] = [one for one in self._queue if one not in of_it]
            self._take(of_it)

        self._meanwhile = life_goes_on
        try:
            self._take(taken)
        finally:
            self._meanwhile = lambda: None

    def _take(self, bodies: Sequence[str]) -> None:
        try:
            failed = self.world.cloud.take(_WEBHOOKS, [*bodies])
        except Killed:
            self.killed += 1
            failed = [*bodies]
        self._queue.extend(failed)

    def mortal(self) -> Mortal:
        """What a worker talks to the database by."""
        return Mortal(self.chance, self._meanwhile)


def tell(world: World, teller: Teller, holders: Sequence[UUID], lives: Sequence[Life]) -> int:
    """Let lives happen and be told, with all that goes wrong; how many events stay unapplied."""
    times = Times(world.stripe)
    with replaced(queues, "Transactions", teller.mortal):
        for holder, life in zip(holders, lives, strict=True):
            teller.buy(holder, life)
        teller.live("early")
        times.pass_by(PAGE_LIFE)
        for job in teller.chance.sample(("expire", "close_pages"), 2):
            times.run(f"billing_checkouts_{job}")
        teller.hear()
        teller.live("late")
        teller.tell_all()
        if teller.loses:
            times.pass_by(timedelta(days=1))
            times.run("billing_reconciliation_reconcile")
            teller.tell_all()
    for _ in range(_PATIENCE):
        times.pass_by(timedelta(minutes=5))
        if not times.run("billing_webhooks_process_due")["rows"]:
            break
    world.cloud.deliver()
    times.back()
    ((left,),) = database.execute(
        "select count(*) from billing.webhook_events where state in ('pending', 'failed')"
    )
    return int(left)
