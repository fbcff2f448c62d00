"""Each kind of object through stripe-python: made, read, changed, listed, removed."""

import pytest
import stripe

from local.stripe.server import Running


def test_customers_are_made_read_changed_listed_and_deleted(client: stripe.StripeClient) -> None:
    customers = client.v1.customers
    made = customers.create(
        {"email": "ana@example.com", "name": "Ana Ç", "metadata": {"user": "u1", "kind": "buyer"}}
    )
    assert made.id.startswith("cus_")
    assert customers.retrieve(made.id).name == "Ana Ç"
    changed = customers.update(made.id, {"name": "", "metadata": {"kind": "", "team": "x"}})
    assert changed.name is None
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"user": "u1", "team": "x"}
    customers.create({"email": "bia@example.com"})
    assert [c.id for c in customers.list({"email": "ana@example.com"}).data] == [made.id]
    assert customers.delete(made.id).deleted
    assert customers.retrieve(made.id).deleted
    assert customers.list({"email": "ana@example.com"}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        customers.update(made.id, {"name": "again"})


def test_products_and_prices(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"id": "credits", "name": "Credits"})
    price = client.v1.prices.create(
        {"product": product.id, "currency": "USD", "unit_amount": 2900, "lookup_key": "pack10"}
    )
    assert (price.currency, price.unit_amount, price.type) == ("usd", 2900, "one_time")
    assert str(price.unit_amount_decimal) == "2900"
    assert client.v1.prices.list({"lookup_keys": ["pack10"]}).data[0].id == price.id
    taken = {"product": product.id, "currency": "usd", "unit_amount": 1, "lookup_key": "pack10"}
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        client.v1.prices.create(taken)  # type: ignore[arg-type]
    moved = client.v1.prices.create({**taken, "transfer_lookup_key": True})  # type: ignore[typeddict-item]
    assert client.v1.prices.retrieve(price.id).lookup_key is None
    assert moved.lookup_key == "pack10"
    assert not client.v1.prices.update(price.id, {"active": False}).active
    assert [p.id for p in client.v1.prices.list({"active": True}).data] == [moved.id]
    expanded = client.v1.prices.retrieve(price.id, {"expand": ["product"]})
    assert isinstance(expanded.product, stripe.Product)
    assert expanded.product.name == "Credits"
    with pytest.raises(stripe.InvalidRequestError, match="user-created prices"):
        client.v1.products.delete(product.id)
    assert client.v1.products.update(product.id, {"name": "More"}).name == "More"
    assert client.v1.products.list().data[0].id == "credits"


def test_a_recurring_price_is_kept_for_later(client: stripe.StripeClient) -> None:
    price = client.v1.prices.create(
        {
            "product_data": {"name": "Premium"},
            "currency": "brl",
            "unit_amount": 1990,
            "recurring": {"interval": "month"},
        }
    )
    assert price.recurring is not None
    assert (price.type, price.recurring.interval_count) == ("recurring", 1)


def test_lists_are_paged_both_ways(client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create().id for _ in range(5)]
    newest = client.v1.customers.list({"limit": 2})
    assert ([c.id for c in newest.data], newest.has_more) == (made[:2:-1], True)
    rest = client.v1.customers.list({"limit": 3, "starting_after": made[3]})
    assert ([c.id for c in rest.data], rest.has_more) == (made[2::-1], False)
    back = client.v1.customers.list({"limit": 2, "ending_before": made[1]})
    assert ([c.id for c in back.data], back.has_more) == ([made[3], made[2]], True)
    assert [c.id for c in client.v1.customers.list({"limit": 2}).auto_paging_iter()] == made[::-1]


def test_lists_are_filtered_by_creation(client: stripe.StripeClient, fake: Running) -> None:
    old = client.v1.customers.create()
    fake.set_clock(1000)
    new = client.v1.customers.create()
    newer = client.v1.customers.list({"created": {"gt": old.created + 500}})
    assert [c.id for c in newer.data] == [new.id]
    assert [c.id for c in client.v1.customers.list({"created": old.created}).data] == [old.id]


def test_events_are_listed_by_type_and_read(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "ana@example.com"})
    client.v1.customers.update(customer.id, {"email": "bia@example.com"})
    client.v1.products.create({"name": "Credits"})
    (updated,) = client.v1.events.list({"type": "customer.updated"}).data
    event = client.v1.events.retrieve(updated.id)
    assert event.api_version == stripe.api_version
    assert not event.livemode
    assert event.data.object["email"] == "bia@example.com"
    assert event.data.to_dict()["previous_attributes"] == {"email": "ana@example.com"}
    assert event.request is not None
    assert event.request.id is not None
    names = [e.type for e in client.v1.events.list({"type": "customer.*"}).data]
    assert names == ["customer.updated", "customer.created"]
    types = client.v1.events.list({"types": ["product.created", "customer.created"]}).data
    assert [e.type for e in types] == ["product.created", "customer.created"]


def test_a_payment_intent_is_confirmed_with_a_test_card(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(
        {
            "amount": 1990,
            "currency": "usd",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "expand": ["latest_charge"],
        }
    )
    assert (intent.status, intent.amount_received) == ("succeeded", 1990)
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert client.v1.charges.retrieve(intent.latest_charge.id).payment_intent == intent.id
    assert len(client.v1.charges.list({"payment_intent": intent.id}).data) == 1
    assert client.v1.payment_intents.list().data[0].id == intent.id


def test_a_declined_confirmation_is_a_card_error_and_leaves_a_failed_charge(
    client: stripe.StripeClient,
) -> None:
    intent = client.v1.payment_intents.create({"amount": 1990, "currency": "usd"})
    with pytest.raises(stripe.CardError) as refused:
        client.v1.payment_intents.confirm(
            intent.id, {"payment_method": "pm_card_chargeDeclinedInsufficientFunds"}
        )
    assert refused.value.code == "card_declined"
    after = client.v1.payment_intents.retrieve(intent.id)
    assert after.status == "requires_payment_method"
    assert after.last_payment_error is not None
    assert after.last_payment_error.decline_code == "insufficient_funds"
    assert client.v1.charges.list({"payment_intent": intent.id}).data[0].status == "failed"
    assert client.v1.payment_intents.cancel(intent.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as late:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert late.value.code == "payment_intent_unexpected_state"
