"""Calls that go wrong on order, before or after the work was done."""

import time

import pytest
import stripe

from local.stripe.server import Running


def customers(client: stripe.StripeClient) -> int:
    return len(client.v1.customers.list().data)


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_500_before_or_after_the_work(
    client: stripe.StripeClient, fake: Running, when: str, made: int
) -> None:
    fake.order_outage(1, "error", when=when)  # type: ignore[arg-type]
    with pytest.raises(stripe.APIError) as failed:
        client.v1.customers.create({}, {"idempotency_key": "key-1"})
    assert failed.value.http_status == 500
    assert customers(client) == made
    client.v1.customers.create({}, {"idempotency_key": "key-1"})
    assert customers(client) == 1


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_broken_connection(
    client: stripe.StripeClient, fake: Running, when: str, made: int
) -> None:
    fake.order_outage(1, "reset", when=when)  # type: ignore[arg-type]
    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create()
    assert customers(client) == made


def test_silence_until_the_client_gives_up(fake: Running, client: stripe.StripeClient) -> None:
    http = stripe.RequestsClient(timeout=0.1)
    impatient = stripe.StripeClient(
        "sk_test_kith", base_addresses={"api": fake.url}, max_network_retries=0, http_client=http
    )
    fake.order_outage(1, "timeout", when="after", seconds=0.3)
    started = time.monotonic()
    with pytest.raises(stripe.APIConnectionError):
        impatient.v1.customers.create()
    assert time.monotonic() - started < 0.3
    assert customers(client) == 1
    http.close()  # type: ignore[no-untyped-call]


def test_too_many_requests(client: stripe.StripeClient, fake: Running) -> None:
    fake.order_outage(1, "rate_limit")
    with pytest.raises(stripe.RateLimitError):
        client.v1.customers.list()


def test_only_the_calls_that_were_meant(client: stripe.StripeClient, fake: Running) -> None:
    fake.order_outage(2, "error", method="POST", path="/v1/customers")
    assert customers(client) == 0
    client.v1.products.create({"name": "Fee"})
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            client.v1.customers.create()
    client.v1.customers.create()
    fake.order_outage(5, "error")
    fake.order_outage(0)
    assert customers(client) == 1
