"""Webhooks: taken once, however often they come; and from Stripe alone, for us, now."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from chalicelib.core.config import config
from chalicelib.kernel.billing.checkouts import service as checkouts
from tests.faults import naive_webhooks
from tests.faults.forgeries import GATEWAY_SECRET, Event, Webhook, forged, genuine
from tests.faults.proof import Findings, Planted, Proof, walk
from tests.faults.world import World, replaced
from tests.kernel.billing.lives import staff
from tests.support import database, invariants, state
from tests.support.api import Answer, Api
from tests.support.environment import STRIPE_KEY
from tests.support.people import Person, person
from tests.support.races import CONNECTIONS, many
from tests.support.stripe import hand_in, signed

TIMES = 200
_PACK = {"product": "marketplace", "code": "contacts_10"}
_CREDITS = 10
_AN_ADDRESS_SENDS = 2_000


def _paid(world: World, buyer: Person) -> Event:
    """The event that says that a pack of somebody's was paid."""
    opened = buyer.api.post("/v1/billing/checkouts", _PACK, key="one").json
    world.stripe.pay(opened["url"])
    found = (one for one in reversed(world.stripe.events()) if one["type"].endswith("completed"))
    return next(found)


def _sender(world: World, number: int) -> Api:
    """A client at an address of its own for each so many webhooks: addresses have a rate."""
    return Api(world.app, address=f"198.51.100.{number // _AN_ADDRESS_SENDS % 256}")


class _Counted:
    """How often a payment was applied."""

    def __init__(self) -> None:
        self.times = 0
        self._lock = threading.Lock()
        self._apply = checkouts.apply_session

    def __call__(self, *given: Any, **named: Any) -> bool:
        with self._lock:
            self.times += 1
        return self._apply(*given, **named)


def once(world: World, tries: int, findings: Findings) -> None:
    """So many events, each handed in 200 times over 16 connections, and taken up by 16 workers."""
    for number in walk(range(tries), findings, tries, "events"):
        buyer = person(world.api)
        body, header = signed(_paid(world, buyer))
        sender = Api(world.app, address=f"198.51.100.{number % 256}")
        answers = many(TIMES, partial(hand_in, sender, body, header))
        findings.count("deliveries", len(answers))
        refused = {answer.status for answer in answers} - {200}
        findings.hold(not refused, f"a genuine event was answered {refused}")
        kept = database.execute("select count(*) from billing.webhook_events")[0][0] - number
        findings.hold(kept == 1, f"an event handed in {TIMES} times at once was kept {kept} times")
        applied = _Counted()
        waiting = world.cloud.queues.pop("webhooks", [])
        with replaced(checkouts, "apply_session", applied):
            many(CONNECTIONS, partial(world.cloud.take, "webhooks", waiting))
        findings.hold(applied.times == 1, f"an event was applied {applied.times} times")
        world.cloud.deliver()
        effects = database.execute(
            "select count(*) from billing.payments where user_id = $1", buyer.id
        )[0][0]
        findings.count("effects", effects)
        left = buyer.api.get("/v1/billing/credits").json["remaining"]
        findings.hold((effects, left) == (1, _CREDITS), f"{effects} payments, {left} credits")
    for rule, rows in invariants.broken().items():
        findings.hold(False, f"{rule}: {len(rows)} rows break it")


@contextmanager
def _configured(settings: Mapping[str, str]) -> Iterator[None]:
    """Other settings of the program meanwhile."""
    before = dict(os.environ)
    os.environ.update(settings)
    config.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        config.cache_clear()


def _send(sender: Api, webhook: Webhook) -> Answer:
    """Make and send a webhook within one second of the clock, so that its age is what it says."""
    with _configured(webhook.settings):
        while True:
            second = int(time.time())
            answer = hand_in(sender, *webhook.make())
            if int(time.time()) == second:
                return answer


def forgeries(world: World, tries: int, findings: Findings) -> None:
    """So many webhooks that Stripe did not send for us now, and then some that it did."""
    admin = staff(world.api, "admin", "all")
    gateway = {
        "name": "another",
        "public_key": "pk_test_another",
        "secret": STRIPE_KEY,
        "webhook_secret": GATEWAY_SECRET,
        "is_active": False,
    }
    assert admin.api.post("/v1/admin/payment_gateways", gateway).status == 201
    event = _paid(world, person(world.api))
    before = state.fingerprints()
    every = list(forged(event, tries))
    for number, webhook in enumerate(walk(every, findings, len(every), "forgeries")):
        status = _send(_sender(world, number), webhook).status
        findings.count("forgeries")
        findings.hold(400 <= status < 500, f"{webhook.what}: answered {status}")
    findings.hold(state.fingerprints() == before, "a forgery changed a row")
    findings.hold(not world.cloud.queues.get("webhooks"), "a forgery was sent to a worker")
    for webhook in genuine(event):
        status = _send(_sender(world, tries), webhook).status
        findings.count("genuine beside them")
        findings.hold(status == 200, f"genuine, {webhook.what}: answered {status}")


PROOFS = (
    Proof(
        "webhooks.once",
        "What a payment provider tells has its effect once, however often it tells it at once.",
        once,
        full=40,
        short=3,
        planted=(
            Planted(
                "an event is looked for, then inserted",
                naive_webhooks.looking_then_inserting,
                tries=2,
            ),
            Planted(
                "an event is found waiting, then applied",
                naive_webhooks.looking_then_applying,
                tries=3,
            ),
        ),
    ),
    Proof(
        "webhooks.forgeries",
        "Nobody but the payment provider can tell us that something was paid.",
        forgeries,
        full=20_000,
        short=2_000,
        planted=tuple(
            Planted(name, plant, tries=150)
            for name, plant in (
                ("a signature has no age", naive_webhooks.whenever),
                ("the future is trusted", naive_webhooks.in_the_future),
                ("the last time of a header counts", naive_webhooks.by_the_last_time),
                ("an empty secret signs", naive_webhooks.by_any_secret),
                ("any scheme signs", naive_webhooks.by_any_scheme),
                ("what is verified is written anew", naive_webhooks.reserialised),
                ("live and test are one", naive_webhooks.in_any_mode),
            )
        ),
    ),
)
