"""Webhooks: signed, sent until taken, and held, shuffled, doubled or dropped on order."""

import random
import socket
import time

import pytest
import stripe

from local.stripe.receiver import Receiver
from local.stripe.server import Running

SECRET = "whsec_local"


def types(receiver: Receiver) -> list[str]:
    return [webhook.event(SECRET).type for webhook in receiver.received]


def test_events_arrive_in_order_and_signed(
    client: stripe.StripeClient, fake: Running, receiver: Receiver
) -> None:
    customer = client.v1.customers.create({"name": "Ana Ç 🎉 \u2028"})
    client.v1.customers.update(customer.id, {"name": "Bia"})
    first, second = receiver.wait_for(2)
    event = first.event(SECRET)
    assert (event.type, event.api_version) == ("customer.created", stripe.api_version)
    assert (event.livemode, event.data.object["name"]) == (False, "Ana Ç 🎉 \u2028")
    assert "Ana Ç".encode() in first.body  # UTF-8 as it is, not escaped
    assert second.event(SECRET).type == "customer.updated"
    assert fake.wait_until_settled()
    assert client.v1.events.retrieve(event.id).pending_webhooks == 0


def test_a_changed_body_or_another_secret_is_no_event(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    client.v1.customers.create()
    (webhook,) = receiver.wait_for(1)
    with pytest.raises(stripe.SignatureVerificationError):
        webhook.event("whsec_other")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(webhook.body + b" ", webhook.signature, SECRET)
    without_v1 = webhook.signature.replace("v1=", "v2=")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(webhook.body, without_v1, SECRET)


def test_two_secrets_while_one_is_rotated(
    client: stripe.StripeClient, fake: Running, receiver: Receiver
) -> None:
    fake.set_webhook(receiver.url, ["whsec_old", "whsec_new"])
    client.v1.customers.create()
    (webhook,) = receiver.wait_for(1)
    assert webhook.event("whsec_old").id == webhook.event("whsec_new").id
    assert webhook.signature.count("v1=") == 2


def test_signatures_follow_real_time_and_objects_the_moved_clock(
    client: stripe.StripeClient, fake: Running, receiver: Receiver
) -> None:
    fake.set_clock(40 * 24 * 3600)
    client.v1.customers.create()
    (webhook,) = receiver.wait_for(1)
    assert webhook.event(SECRET).created > time.time() + 39 * 24 * 3600
    signed_at = int(webhook.signature.split(",")[0].removeprefix("t="))
    assert abs(signed_at - time.time()) < 5


def test_a_refused_event_is_sent_again_until_it_is_taken(
    client: stripe.StripeClient, fake: Running, receiver: Receiver
) -> None:
    receiver.statuses = [500, 404, 302]
    client.v1.customers.create()
    received = receiver.wait_for(4)
    assert len({webhook.event(SECRET).id for webhook in received}) == 1
    assert fake.wait_until_settled()
    (delivery,) = fake.deliveries()
    assert delivery.state == "delivered"
    assert [attempt.status for attempt in delivery.attempts] == [500, 404, 302, 200]
    pauses = [b.at - a.at for a, b in zip(delivery.attempts, delivery.attempts[1:], strict=False)]
    assert pauses[0] >= 0.01
    assert pauses[1] >= 0.02
    assert pauses[2] >= 0.04


def test_nobody_at_home_is_an_attempt_that_is_repeated(
    client: stripe.StripeClient, fake: Running, receiver: Receiver
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        fake.set_webhook(f"http://127.0.0.1:{nobody.getsockname()[1]}/", [SECRET])
        client.v1.customers.create()
        while not fake.deliveries()[0].attempts:
            time.sleep(0.005)
    fake.set_webhook(receiver.url, [SECRET])
    receiver.wait_for(1)
    assert fake.wait_until_settled()
    assert fake.deliveries()[0].attempts[0].status is None
    assert fake.deliveries()[0].attempts[0].error


def test_held_events_are_released_in_any_order_doubled_and_dropped(
    client: stripe.StripeClient, fake: Running, receiver: Receiver
) -> None:
    fake.set_delivery_mode("hold")
    for name in "abcd":
        client.v1.customers.create({"name": name})
    a, b, c, d = fake.held()
    time.sleep(0.05)
    assert receiver.received == []
    attempts = fake.release([c, a, c], rest="drop")
    assert [attempt.event for attempt in attempts] == [c, a, c]
    names = [webhook.event(SECRET).data.object["name"] for webhook in receiver.received]
    assert names == ["c", "a", "c"]
    states = {delivery.event: delivery.state for delivery in fake.deliveries()}
    assert states == {a: "delivered", b: "dropped", c: "delivered", d: "dropped"}
    assert fake.deliver(b).succeeded  # what was dropped can still be sent
    assert len(receiver.received) == 4


def test_every_order_can_be_had(
    client: stripe.StripeClient, fake: Running, receiver: Receiver
) -> None:
    fake.set_delivery_mode("hold")
    for _ in range(6):
        client.v1.customers.create()
    order = fake.held()
    random.Random(7).shuffle(order)
    fake.release(order)
    assert [webhook.event(SECRET).id for webhook in receiver.received] == order
    assert fake.held() == []


def test_a_held_event_that_is_refused_stays_held(
    client: stripe.StripeClient, fake: Running, receiver: Receiver
) -> None:
    fake.set_delivery_mode("hold")
    client.v1.customers.create()
    receiver.statuses = [500]
    (refused,) = fake.release()
    assert (refused.status, fake.held()) == (500, [refused.event])
    fake.set_delivery_mode("deliver")
    fake.release([], rest="deliver")
    receiver.wait_for(2)


def test_a_dropped_event_is_only_found_by_asking(
    client: stripe.StripeClient, fake: Running, receiver: Receiver
) -> None:
    fake.set_delivery_mode("drop")
    client.v1.customers.create()
    fake.set_delivery_mode("deliver")
    client.v1.products.create({"name": "Fee"})
    receiver.wait_for(1)
    assert types(receiver) == ["product.created"]
    listed = [event.type for event in client.v1.events.list().data]
    assert listed == ["product.created", "customer.created"]
