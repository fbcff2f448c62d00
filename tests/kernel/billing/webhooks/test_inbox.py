"""Events as they are kept: once each, applied once, and left alone if they are not ours."""

import threading
from typing import Any

import pytest
import stripe as sdk

from chalicelib.kernel.billing.checkouts import service as checkouts
from tests.support import database
from tests.support.api import Api
from tests.support.cloud import Cloud
from tests.support.people import Person
from tests.support.races import CONNECTIONS, many
from tests.support.stripe import Stripe, hand_in, signed

PACK = {"product": "marketplace", "code": "contacts_10"}
TIMES = 200


def events() -> list[tuple[Any, ...]]:
    return database.execute("select type, state, error from billing.webhook_events order by id")


def credits_of(who: Person) -> int:
    left: int = who.api.get("/v1/billing/credits").json["remaining"]
    return left


def paid_event(who: Person, stripe: Stripe, **changes: Any) -> dict[str, Any]:
    """The event that says that a pack of somebody's was paid."""
    opened = who.api.post("/v1/billing/checkouts", PACK | changes, key="one").json
    stripe.pay(opened["url"])
    return next(one for one in reversed(stripe.events()) if one["type"].endswith("completed"))


def test_looking_first_and_then_inserting_applies_an_event_more_than_once() -> None:
    """The negative control: if this code were right, the test below would show nothing."""
    database.execute("create table naive (event_id text not null)")
    barrier = threading.Barrier(CONNECTIONS)
    first = threading.local()

    def apply() -> bool:
        seen = database.execute("select 1 from naive where event_id = 'evt_1'")
        if not hasattr(first, "over"):
            first.over = True
            barrier.wait(10)
        if seen:
            return False
        database.execute("insert into naive values ('evt_1')")
        return True

    try:
        effects = sum(many(TIMES, apply))
    finally:
        database.execute("drop table naive")
    assert effects > 1


def test_one_event_200_times_at_once_has_one_effect(
    ana: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    body, header = signed(paid_event(ana, stripe))
    answers = many(TIMES, lambda: hand_in(api, body, header))
    assert {answer.status for answer in answers} == {200}
    assert len(events()) == 1
    cloud.deliver()
    assert events() == [("checkout.session.completed", "processed", None)]
    assert credits_of(ana) == 10


def test_a_message_that_workers_take_16_times_at_once_has_one_effect(
    ana: Person, api: Api, stripe: Stripe, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply, applied = checkouts.apply_session, []

    def note(*arguments: Any, **named: Any) -> bool:
        applied.append(1)
        return apply(*arguments, **named)

    monkeypatch.setattr(checkouts, "apply_session", note)
    hand_in(api, *signed(paid_event(ana, stripe)))
    waiting = cloud.queues.pop("webhooks")
    assert many(16, lambda: cloud.take("webhooks", waiting)) == [[]] * 16
    assert len(applied) == 1
    assert credits_of(ana) == 10
    assert len(ana.api.get("/v1/billing/payments").json["items"]) == 1
    assert database.execute(
        "select count(*) from core.outbox where topic = 'billing.checkout_paid'"
    ) == [(1,)]


def test_an_event_that_comes_again_after_it_was_applied_changes_nothing(
    ana: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    event = paid_event(ana, stripe)
    for _ in range(3):
        assert stripe.send(api, event).status == 200
        cloud.deliver()
    assert len(events()) == 1
    assert credits_of(ana) == 10


def test_two_events_of_one_payment_have_one_effect(
    ana: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    event = paid_event(ana, stripe)
    for identifier in ("evt_first", "evt_second"):
        stripe.send(api, event | {"id": identifier})
    waiting = cloud.queues.pop("webhooks")
    takes = iter(waiting)
    many(2, lambda: cloud.take("webhooks", [next(takes)]))
    assert [state for _, state, _ in events()] == ["processed", "processed"]
    assert credits_of(ana) == 10


def test_what_others_sell_on_the_same_account_is_ignored(
    ana: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    ours = paid_event(ana, stripe)
    client = sdk.StripeClient("sk_test_kith", base_addresses={"api": stripe.fake.url})
    price: Any = {"currency": "usd", "unit_amount": 900, "product_data": {"name": "x"}}
    unknown = "019a9e00-0000-7000-8000-0000000000ff"
    metadata: dict[str, str]
    for metadata in ({}, {"checkout_id": "7"}, {"checkout_id": unknown}):
        session = client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "line_items": [{"quantity": 1, "price_data": price}],
                "success_url": "https://others.example/",
                "metadata": metadata,
            }
        )
        stripe.fake.act(session.id, "decline")
        stripe.fake.act(session.id, "pay")
    stripe.sent.add(ours["id"])
    assert {answer.status for answer in stripe.send_webhooks(api)} == {200}
    cloud.deliver()
    assert {state for _, state, _ in events()} == {"ignored"}
    assert cloud.dead == []
    assert database.execute("select count(*) from billing.payments") == [(0,)]


def test_kinds_of_events_that_nobody_asked_for_are_ignored(
    api: Api, cloud: Cloud, stripe: Stripe
) -> None:
    for number, kind in enumerate(["customer.created", "x", "checkout", "payment_intent.created"]):
        event = {"id": f"evt_{number}", "type": kind, "livemode": False}
        stripe.send(api, event | {"data": {"object": {"id": "x"}}})
    cloud.deliver()
    assert {state for _, state, _ in events()} == {"ignored"}


def test_an_event_without_an_object_is_kept_and_holds_up_nobody(
    ana: Person, api: Api, stripe: Stripe, cloud: Cloud
) -> None:
    event = paid_event(ana, stripe)
    poison = {"id": "evt_poison", "type": "checkout.session.completed", "livemode": False}
    shapes: list[dict[str, Any]] = [{}, {"data": 7}, {"data": {"object": None}}]
    for number, data in enumerate(shapes):
        stripe.send(api, {**poison, "id": f"evt_poison_{number}", **data})
    stripe.send(api, event)
    cloud.deliver()
    states = [state for _, state, _ in events()]
    assert states[-1] == "processed"
    assert set(states[:3]) <= {"ignored", "pending", "failed"}
    assert credits_of(ana) == 10
