"""Whatever order a checkout's events come in, however often, and whichever are lost: one outcome."""

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from chalicelib.core import db
from chalicelib.kernel.billing import gateway
from chalicelib.kernel.billing.webhooks import service
from tests.support import database, invariants
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person
from tests.support.stripe import Stripe

PACK = {"product": "marketplace", "code": "contacts_10"}
BRAZILIAN = {"product": "tests", "code": "pacote"}

STORIES = {
    "declined, then paid": (PACK, ["decline", "pay"]),
    "declined twice, then paid": (PACK, ["decline", "decline", "pay"]),
    "declined and left": (PACK, ["decline"]),
    "paid by pix": (BRAZILIAN, ["pix", "pix_pay"]),
    "pix ran out": (BRAZILIAN, ["pix", "pix_expire"]),
    "pix ran out and was paid late": (BRAZILIAN, ["pix", "pix_expire", "pix_pay_late"]),
}

# What an outcome is made of; ids and times differ, and are left out.
_OUTCOME = (
    "select state from billing.checkouts",
    "select state, amount, currency, method, kind, external_id from billing.payments",
    "select amount, reason from billing.credit_transfers",
    "select kind, balance from billing.credit_accounts order by kind",
    "select external_id, code from billing.failed_transactions order by external_id",
    "select count(*) from core.outbox where topic = 'billing.checkout_paid'",
)
# What a story leaves behind, but for the checkout itself: taken away before it is told anew.
_AFTERMATH = (
    "delete from billing.credit_transfers",
    "delete from billing.credit_accounts where kind <> 'issuer'",
    "delete from billing.payments",
    "delete from billing.failed_transactions",
    "delete from core.outbox",
    "update billing.checkouts set state = 'open', paid_at = null",
    "update billing.webhook_events set state = 'pending', processed_at = null, error = null",
)

Outcome = tuple[list[tuple[Any, ...]], ...]


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripe is asked once for each object: nothing changes there while the events are told."""
    ask = gateway.session
    known: dict[tuple[str, ...], gateway.Session] = {}

    def session(*asked: str) -> gateway.Session:
        if asked not in known:
            known[asked] = ask(*asked)
        return known[asked]

    monkeypatch.setattr(gateway, "session", session)


def happen(ana: Person, stripe: Stripe, story: str) -> list[str]:
    """Let a story happen at Stripe and its events reach the inbox; their ids, oldest first."""
    asked, actions = STORIES[story]
    opened = ana.api.post("/v1/billing/checkouts", asked, key="one")
    assert opened.status == 201, opened.text
    for action in actions:
        stripe.pay(opened.json["url"], action)
    stripe.send_webhooks(Api(ana.api.app))
    return [row[0] for row in database.execute("select id from billing.webhook_events order by id")]


def outcome_of(order: Sequence[str]) -> Outcome:
    """What is left when the inbox is worked off in this order."""
    database.without_triggers(*_AFTERMATH)
    for event in order:
        assert service.process(db.Transactions(), event)  # type: ignore[arg-type]
    return tuple(database.execute(sql) for sql in _OUTCOME)


def schedules(events: list[str], chance: random.Random) -> Iterator[Sequence[str]]:
    """Every order of up to five events, a sample of more; and some with repetitions."""
    if len(events) <= 5:
        yield from itertools.permutations(events)
    else:
        yield from (chance.sample(events, len(events)) for _ in range(60))
    for _ in range(25):
        twice = events + chance.choices(events, k=len(events))
        yield chance.sample(twice, len(twice))


@pytest.mark.usefixtures("remembered", "cloud")
@pytest.mark.parametrize("story", STORIES)
def test_every_order_with_repetitions_ends_alike(ana: Person, stripe: Stripe, story: str) -> None:
    events = happen(ana, stripe, story)
    expected = outcome_of(events)
    for order in schedules(events, random.Random(story)):
        assert outcome_of(order) == expected, order
    assert invariants.broken() == {}


@pytest.mark.usefixtures("remembered", "cloud")
@pytest.mark.parametrize("story", ["declined, then paid", "paid by pix"])
def test_any_one_event_of_the_session_is_enough_to_hand_over(
    ana: Person, stripe: Stripe, story: str
) -> None:
    events = happen(ana, stripe, story)
    kinds = dict(database.execute("select id, type from billing.webhook_events"))
    of_session = [one for one in events if kinds[one].startswith("checkout.session.")]
    expected = outcome_of(events)
    for event in of_session:
        alone = outcome_of([event])
        assert alone[:4] == expected[:4]
        assert alone[5] == expected[5]


def test_events_told_between_the_deeds_end_as_those_told_afterwards(
    ana: Person, stripe: Stripe, cloud: Cloud
) -> None:
    outcomes = set()
    for seed in range(8):
        chance = random.Random(seed)
        opened = ana.api.post("/v1/billing/checkouts", PACK, key=f"attempt-{seed}").json
        waiting: list[Any] = []
        for action in ("decline", "decline", "pay"):
            stripe.pay(opened["url"], action)
            fresh = [one for one in stripe.events() if one["id"] not in stripe.sent]
            stripe.sent |= {one["id"] for one in fresh}
            waiting += fresh
            chance.shuffle(waiting)
            now, waiting = waiting[::2], waiting[1::2]
            for event in now:
                stripe.send(Api(ana.api.app), event)
            cloud.deliver()
        for event in waiting * 2:
            stripe.send(Api(ana.api.app), event)
        cloud.deliver()
        found = [
            tuple(database.execute(f"{sql} where checkout_id = $1", opened["id"]))
            for sql in (
                "select state, amount, method from billing.payments",
                "select code from billing.failed_transactions",
            )
        ]
        outcomes.add(tuple(found))
    assert outcomes == {((("succeeded", 900, "card"),), (("generic_decline",),) * 2)}
